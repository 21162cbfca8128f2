"""Ed25519 keys: public keys that verify, signing keys that sign, PKCS#8 files that hold them."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.errors import SettingsError, SignatureInvalid


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key, 32 bytes."""

    raw: bytes
    _key: Ed25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_key", Ed25519PublicKey.from_public_bytes(self.raw))

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """A key in standard base64; raises ValueError."""
        return cls(base64.b64decode(text, validate=True))

    @property
    def text(self) -> str:
        """Standard base64 of the 32 bytes."""
        return base64.b64encode(self.raw).decode("ascii")

    @property
    def fingerprint(self) -> str:
        """The first 16 hexadecimal digits of the key's SHA-256 (the tail of a `keyid`, spec 5)."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises SignatureInvalid unless `signature` (64 bytes) is this key's over `message`."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise SignatureInvalid(f"the Ed25519 signature does not verify with key {self.fingerprint}") from None


class Signer(Protocol):
    """Whatever can sign with an Ed25519 key: a file here, an HSM elsewhere.

    Which key that is may change while a process runs (a rotation). Whatever names the key in what it signs takes
    `current()` once, and uses that signer for both: two calls on a signer that rotates may meet two keys.

        signer = self._signer.current()
        signature = signer.sign(message_naming(signer.public))
    """

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes. May block for as long as an HSM takes: where that matters, call it in a thread."""
        ...

    def current(self) -> Signer:
        """The signer of this moment, whose key stays the same: call it once for each thing to sign. Never waits."""
        ...


class SigningKey:
    """An Ed25519 private key held in memory."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self._public = PublicKey(raw)

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed: for test vectors."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def load(cls, path: Path, passphrase: bytes | None = None) -> SigningKey:
        """Read a PKCS#8 PEM file; raises SettingsError naming the file and what is wrong with it."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), passphrase)
        except FileNotFoundError:
            raise SettingsError(f"{path}: no such key file; `exchange init` creates an instance's keys") from None
        except (ValueError, TypeError) as error:
            raise SettingsError(f"{path}: not a readable PKCS#8 private key: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"{path}: expected an Ed25519 key, found {type(key).__name__}")
        return cls(key)

    def save(self, path: Path, passphrase: bytes | None = None) -> None:
        """Write a PKCS#8 PEM file that only its owner can read; refuses to overwrite (FileExistsError)."""
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if passphrase:
            protection = serialization.BestAvailableEncryption(passphrase)
        pem = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    def current(self) -> SigningKey:
        """Itself: one key, always."""
        return self
