"""The directory as a file: a document signed by at least two operators, and the operators' public keys.

`operators.json` is what a member was given on admission: `{"threshold": 2, "keys": {keyid: base64}}`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from exchange.clock import Clock
from exchange.errors import DocumentInvalid, SettingsError, TrustError
from exchange.trust.directory import Directory, parse_document
from exchange.trust.document import open_document, sign_document
from exchange.trust.keys import PublicKey, Signer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Operators:
    """The operators' public keys by key id, and how many of them must sign."""

    threshold: int
    keys: Mapping[str, PublicKey]

    @classmethod
    def load(cls, path: Path) -> Operators:
        """Read `operators.json`; raises SettingsError naming the file."""
        try:
            raw = msgspec.json.decode(_read(path), type=_Operators)
            keys = {keyid: PublicKey.parse(text) for keyid, text in raw.keys.items()}
        except (msgspec.DecodeError, ValueError) as error:
            raise SettingsError(f"{path}: not an operators file: {error}") from None
        if not 1 <= raw.threshold <= len(keys):
            raise SettingsError(f"{path}: threshold {raw.threshold} needs to be between 1 and {len(keys)}, its keys")
        return cls(raw.threshold, keys)

    def save(self, path: Path) -> None:
        """Write `operators.json`."""
        raw = _Operators(self.threshold, {keyid: key.text for keyid, key in self.keys.items()})
        path.write_bytes(msgspec.json.format(msgspec.json.encode(raw)))


def open_directory(envelope: bytes, operators: Operators, now: datetime | None) -> Directory:
    """The directory of a signed document; raises DocumentInvalid, or DirectoryExpired unless `now` is None."""
    payload = open_document("directory", envelope, operators.keys, operators.threshold)
    directory = Directory.parse(payload, hashlib.sha256(payload).hexdigest())
    if now is not None:
        directory.require_current(now)
    return directory


def load_directory(path: Path, operators: Operators, now: datetime | None) -> Directory:
    """Read the signed file; raises SettingsError (no file), DocumentInvalid or DirectoryExpired, naming it.

    With `now` None its expiry does not count: for proofs of the past, never for deciding anything.
    """
    try:
        return open_directory(_read(path), operators, now)
    except DocumentInvalid as error:
        raise DocumentInvalid(f"{path}: {error.message}") from None


def sign_directory(content: Mapping[str, Any], signers: Mapping[str, Signer]) -> bytes:
    """The signed document of plain directory data; raises DocumentInvalid where the data are wrong."""
    parse_document(content)
    return sign_document("directory", content, signers.items())


class DirectoryFile:
    """The current directory of a process: call it for the snapshot.

    The file is looked at again at most once in `interval` seconds. A changed file that does not verify leaves the
    snapshot as it is, until that expires; so does one with a lower version (a rollback).
    """

    def __init__(
        self,
        path: Path,
        operators: Operators,
        clock: Clock,
        interval: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._operators = operators
        self._clock = clock
        self._interval = interval
        self._monotonic = monotonic
        self._looked = monotonic()
        self._stamp = self._file_stamp()
        self._snapshot = load_directory(path, operators, clock.now())

    def __call__(self) -> Directory:
        """The snapshot; whoever acts on it checks `require_current`."""
        if self._monotonic() - self._looked >= self._interval:
            self._looked = self._monotonic()
            self._look_again()
        return self._snapshot

    def _look_again(self) -> None:
        stamp = self._file_stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            fresh = load_directory(self._path, self._operators, self._clock.now())
        except (TrustError, SettingsError) as error:
            log.error("directory_refused", reason=error.message, kept_version=self._snapshot.version)
            return
        if fresh.version < self._snapshot.version:
            log.error("directory_rollback_refused", version=fresh.version, kept_version=self._snapshot.version)
            return
        self._snapshot = fresh

    def _file_stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size


class _Operators(msgspec.Struct, forbid_unknown_fields=True):
    threshold: int
    keys: dict[str, str]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; `exchange init` creates an instance's files") from None
