"""An entry as it is kept: the signed document and its salt, and the leaf that the public log has of them (spec 9).

    on the topic   {"document": DSSE envelope of kind audit-entry, "salt": base64 of 16 bytes}
    leaf data      SHA-256("exchange-audit-v1" ‖ 0x0A ‖ salt (16) ‖ entry)            entry = the document's payload
    leaf hash      SHA-256(0x00 ‖ leaf data)

The log is public and holds leaf data alone: without the salt nobody can tell whether a guessed entry is in it, so
deleting an entry and its salt erases it, and every proof of another entry stays as it was.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from exchange.audit.entry import AuditEntry, require_size
from exchange.errors import DocumentInvalid, IdentifierError
from exchange.ids import AgencyId
from exchange.merkle import leaf_hash
from exchange.transport.http import Credentials
from exchange.trust import Directory, Key, document_keyids, open_document, sign_document

KIND = "audit-entry"
SALT_BYTES = 16
_DOMAIN = b"exchange-audit-v1\n"


def leaf_data(salt: bytes, entry: bytes) -> bytes:
    """The 32 bytes that the log has of an entry; ValueError for a salt that is not 16 bytes."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes, not {len(salt)}")
    return sha256(_DOMAIN + salt + entry).digest()


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A signed entry document (DSSE bytes) and its salt; nothing is verified."""

    document: bytes
    salt: bytes

    @property
    def payload(self) -> bytes:
        """The entry's bytes, unverified; raises DocumentInvalid."""
        try:
            return base64.b64decode(msgspec.json.decode(self.document, type=_Payload).payload, validate=True)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise DocumentInvalid(f"not an audit entry's document: {error}") from None

    def encode(self) -> bytes:
        """The value on the topic."""
        return msgspec.json.encode({"document": msgspec.Raw(self.document), "salt": encode_salt(self.salt)})

    @classmethod
    def parse(cls, value: bytes) -> AuditRecord:
        """Read a value of the topic; raises DocumentInvalid."""
        try:
            raw = msgspec.json.decode(value, type=_Record)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DocumentInvalid(f"not an audit record: {error}") from None
        return cls(bytes(raw.document), parse_salt(raw.salt))


@dataclass(frozen=True, slots=True)
class VerifiedEntry:
    """An entry whose signature held: the entry, its bytes as they were signed, and the log's leaf data of it."""

    entry: AuditEntry
    payload: bytes
    leaf_data: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf's hash, 32 bytes: what proofs are about."""
        return leaf_hash(self.leaf_data)


def sign_entry(entry: AuditEntry, credentials: Credentials, salt: bytes) -> AuditRecord:
    """The record of `entry`, signed by its gateway."""
    credentials = credentials.current()
    return AuditRecord(sign_document(KIND, entry.content(), [(credentials.keyid, credentials.signer)]), salt)


def verify_entry(record: AuditRecord, directory: Directory) -> VerifiedEntry:
    """The entry of a record, once its gateway's signature holds (spec 9); raises DocumentInvalid."""
    gateway, keyid, key = _find_key(record.document, directory)  # 1
    payload = open_document(KIND, record.document, {keyid: key.public})  # 2
    entry = AuditEntry.parse(payload)  # 3
    _require_signer(entry, gateway, key)  # 4
    return VerifiedEntry(entry, payload, leaf_data(record.salt, payload))


def require_acceptable(record: AuditRecord, entry: AuditEntry, directory: Directory) -> None:
    """Raises DocumentInvalid where `verify_entry` would refuse what we signed: all its steps but the signature."""
    gateway, _, key = _find_key(record.document, directory)
    _require_signer(entry, gateway, key)
    require_size(entry.encode())


def _find_key(document: bytes, directory: Directory) -> tuple[AgencyId, str, Key]:
    """Which gateway of the directory claims to have signed, the key id it gives, and that key."""
    keyids = document_keyids(KIND, document)
    if len(keyids) != 1:
        raise DocumentInvalid(f"an audit entry has one signature, its gateway's; this one has {len(keyids)}")
    try:
        gateway = AgencyId.parse(keyids[0].rpartition("#")[0])
    except IdentifierError as error:
        raise DocumentInvalid(f"the audit entry's key id {keyids[0][:80]!r} names no agency: {error.message}") from None
    agency = directory.agency(gateway)
    if agency is None or not directory.is_gateway(gateway):
        raise DocumentInvalid(f"the audit entry is signed by {gateway}, which is no gateway of the directory")
    key = agency.key_by_id(keyids[0])
    if key is None:
        raise DocumentInvalid(f"the audit entry is signed by a key that the directory does not have of {gateway}")
    return gateway, keyids[0], key


def _require_signer(entry: AuditEntry, gateway: AgencyId, key: Key) -> None:
    if entry.gateway != gateway:
        raise DocumentInvalid(f"the audit entry names gateway {entry.gateway}, but {gateway} signed it")
    if not key.is_valid_at(entry.time):
        raise DocumentInvalid(
            f"the gateway's key was not valid at the entry's time, {entry.time.isoformat()}: "
            f"it is good from {key.not_before.isoformat()} to {key.not_after.isoformat()}"
        )


def encode_salt(salt: bytes) -> str:
    """Base64 of a salt."""
    return base64.b64encode(salt).decode("ascii")


def parse_salt(text: str) -> bytes:
    """16 bytes in canonical base64; raises DocumentInvalid."""
    try:
        salt = base64.b64decode(text, validate=True)
    except ValueError:
        raise DocumentInvalid("the audit entry's salt is not base64") from None
    if len(salt) != SALT_BYTES or encode_salt(salt) != text:
        raise DocumentInvalid(f"an audit entry's salt is {SALT_BYTES} bytes in base64")
    return salt


class _Record(msgspec.Struct, forbid_unknown_fields=True):
    document: msgspec.Raw
    salt: str


class _Payload(msgspec.Struct):
    payload: str
