"""C2SP signed notes (c2sp.org/signed-note) with Ed25519 signatures (type 0x01).

    text ending in a newline
    <empty line>
    — <key name> base64(key id (4) ‖ signature (64))          one line a signature

    key id = SHA-256(key name ‖ 0x0A ‖ 0x01 ‖ public key (32)), its first 4 bytes

What is signed is the text, with its last newline. Signatures by keys that are not known are ignored, as C2SP
asks (witnesses add theirs); a signature by a known key that does not verify refuses the note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from exchange.errors import ProofInvalid, SignatureInvalid

ED25519 = 0x01
"""The signature type of a plain Ed25519 note signature."""

_MARK = "— "
_MAX_NOTE = 1_000_000
_MAX_SIGNATURES = 100


class NoteKey(Protocol):
    """An Ed25519 public key."""

    @property
    def raw(self) -> bytes:
        """32 bytes."""
        ...

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises SignatureInvalid."""
        ...


class NoteSigner(Protocol):
    """Whatever signs with one Ed25519 key."""

    @property
    def public(self) -> NoteKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key it names, that key's id (4 bytes) and the signature as the key's type has it."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line, with its newline."""
        return f"{_MARK}{self.name} {base64.b64encode(self.key_id + self.signature).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read: the text that is signed (with its last newline) and its signatures, unverified."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(each.line for each in self.signatures)).encode()


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A key that a note may be signed with, by its name."""

    name: str
    key: NoteKey

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that a signature line carries."""
        return note_key_id(self.name, self.key.raw)


def note_key_id(name: str, public: bytes, kind: int = ED25519) -> bytes:
    """The first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key)."""
    return sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def verifier_text(name: str, public: bytes) -> str:
    """C2SP's text form of a verifier key: `<name>+<key id, hexadecimal>+<base64 of type and public key>`."""
    tail = base64.b64encode(bytes([ED25519]) + public).decode("ascii")
    return f"{name}+{note_key_id(name, public).hex()}+{tail}"


def sign_note(text: str, name: str, signer: NoteSigner) -> bytes:
    """The note of `text` (ending in a newline) with one signature by `name`; ValueError where C2SP forbids either."""
    return signed_note(text, name, signer.public.raw, signer.sign(text.encode()))


def signed_note(text: str, name: str, public: bytes, signature: bytes) -> bytes:
    """The note of a text that `public`'s key, as `name`, has signed; ValueError as `sign_note`."""
    _require_text(text)
    if not is_key_name(name):
        raise ValueError(f"{name!r} is not a note key name: no spaces, no plus, not empty")
    return Note(text, (NoteSignature(name, note_key_id(name, public), signature),)).encode()


def parse_note(data: bytes) -> Note:
    """Read a note without verifying it; raises ProofInvalid with what is wrong."""
    if len(data) > _MAX_NOTE:
        raise ProofInvalid(f"a signed note of {len(data)} bytes is too large (more than {_MAX_NOTE})")
    try:
        decoded = data.decode("utf-8")
        text, separator, lines = decoded.rpartition("\n\n")
        _require_text(text + "\n")
    except ValueError as error:
        raise ProofInvalid(f"not a signed note: {error}") from None
    if not separator or not lines.endswith("\n"):
        raise ProofInvalid("not a signed note: text, an empty line and signature lines, each ending in a newline")
    signatures = tuple(_parse_line(line) for line in lines[:-1].split("\n"))
    if len(signatures) > _MAX_SIGNATURES:
        raise ProofInvalid(f"a signed note with {len(signatures)} signatures (more than {_MAX_SIGNATURES})")
    return Note(text + "\n", signatures)


def open_note(data: bytes, verifiers: Sequence[NoteVerifier]) -> Note:
    """The note, with the signatures that verified alone; at least one. Raises ProofInvalid."""
    note = parse_note(data)
    known = {(each.name, each.key_id): each.key for each in verifiers}
    good: dict[tuple[str, bytes], NoteSignature] = {}
    for each in note.signatures:
        key = known.get((each.name, each.key_id))
        if key is not None:
            _verify(key, each, note.text)
            good[(each.name, each.key_id)] = each
    if not good:
        raise ProofInvalid(f"the note is not signed by any of {sorted({each.name for each in verifiers})}")
    return Note(note.text, tuple(good.values()))


def is_key_name(name: str) -> bool:
    """Whether C2SP allows the name: not empty, no spaces of any script, no plus, printable."""
    return bool(name) and "+" not in name and name.isprintable() and not any(each.isspace() for each in name)


def _verify(key: NoteKey, signature: NoteSignature, text: str) -> None:
    try:
        key.verify(signature.signature, text.encode())
    except SignatureInvalid:
        raise ProofInvalid(f"the note's signature by {signature.name} does not verify") from None


def _require_text(text: str) -> None:
    if len(text) < 2 or not text.endswith("\n"):
        raise ValueError("a note's text is not empty and ends in a newline")
    if any(each < " " and each != "\n" for each in text):
        raise ValueError("a note's text has no control characters")


def _parse_line(line: str) -> NoteSignature:
    name, space, blob = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not space or not is_key_name(name):
        raise ProofInvalid(f"not a signature line of a note: {line[:80]!r}")
    raw = decode_base64(blob)
    if len(raw) < 5:
        raise ProofInvalid(f"a signature line of a note carries a key id and a signature: {line[:80]!r}")
    return NoteSignature(name, raw[:4], raw[4:])


def decode_base64(text: str) -> bytes:
    """Standard base64 in its one canonical form (padding, no stray bits); raises ProofInvalid."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ProofInvalid(f"not base64: {text[:80]!r}") from None
    if base64.b64encode(raw).decode("ascii") != text:
        raise ProofInvalid(f"not canonical base64: {text[:80]!r}")
    return raw
