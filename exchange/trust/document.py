"""Signed documents (spec 4): RFC 8785 bytes in a DSSE envelope, signed by Ed25519 keys.

    envelope = {"payload": base64, "payloadType": T, "signatures": [{"keyid": K, "sig": base64}, ...]}
    signed   = "DSSEv1" SP len(T) SP T SP len(payload) SP payload

The payload's bytes are what was signed and what is stored: they are never written again from a parsed form.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import rfc8785

from exchange.errors import DocumentInvalid, SignatureInvalid
from exchange.trust.keys import PublicKey, Signer


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815  (DSSE's name)
    signatures: list[_Signature]


def media_type(kind: str) -> str:
    """The payload type of our documents, e.g. of kind `consent`."""
    return f"application/vnd.exchange.{kind}+json;version=1"


def sign_document(kind: str, content: Mapping[str, Any], signers: Iterable[tuple[str, Signer]]) -> bytes:
    """The envelope of `content`, signed by each (keyid, signer), as canonical JSON bytes."""
    payload = rfc8785.dumps(dict(content))
    signed = _pre_authentication(media_type(kind), payload)
    return rfc8785.dumps(
        {
            "payload": base64.b64encode(payload).decode("ascii"),
            "payloadType": media_type(kind),
            "signatures": [
                {"keyid": keyid, "sig": base64.b64encode(signer.sign(signed)).decode("ascii")}
                for keyid, signer in signers
            ],
        }
    )


def open_document(kind: str, envelope: bytes, keys: Mapping[str, PublicKey], threshold: int = 1) -> bytes:
    """The payload, once `threshold` different keys of `keys` (by keyid) signed it; raises DocumentInvalid."""
    parsed = _parse(kind, envelope)
    payload = _decode(parsed.payload, "payload")
    signed = _pre_authentication(parsed.payloadType, payload)
    good = {keys[each.keyid].raw for each in parsed.signatures if _is_good(each, keys, signed)}
    if len(good) < threshold:
        raise DocumentInvalid(
            f"the {kind} document has {len(good)} good signature(s) of the {threshold} it needs; it was altered, "
            "or signed by keys that are not trusted here"
        )
    return payload


def document_keyids(kind: str, envelope: bytes) -> Sequence[str]:
    """The key ids a document claims to be signed with, unverified; raises DocumentInvalid."""
    return [each.keyid for each in _parse(kind, envelope).signatures]


def _parse(kind: str, envelope: bytes) -> _Envelope:
    try:
        parsed = msgspec.json.decode(envelope, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentInvalid(f"not a signed {kind} document (DSSE envelope): {error}") from None
    if parsed.payloadType != media_type(kind):
        raise DocumentInvalid(f"expected a document of type {media_type(kind)}, found {parsed.payloadType[:80]!r}")
    return parsed


def _pre_authentication(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _is_good(signature: _Signature, keys: Mapping[str, PublicKey], signed: bytes) -> bool:
    key = keys.get(signature.keyid)
    if key is None:
        return False
    try:
        key.verify(_decode(signature.sig, "signature"), signed)
    except SignatureInvalid:
        return False
    return True


def _decode(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DocumentInvalid(f"the document's {what} is not base64") from None
