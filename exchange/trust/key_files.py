"""An agency's key files: the one it was given first, and those that rotations add beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exchange.errors import SettingsError
from exchange.trust.keys import SigningKey

Stamp = tuple[int, int, int]


class KeyFiles:
    """The keys of `civil.pem` and of every `civil.<anything>.pem` beside it (a KeyStore)."""

    def __init__(self, path: Path, passphrase: bytes | None = None) -> None:
        self._path = path
        self._passphrase = passphrase
        self._read: dict[Path, tuple[Stamp, SigningKey]] = {}

    def __str__(self) -> str:
        return str(self._path)

    def load(self) -> Mapping[str, SigningKey]:
        """The keys by their files, one or more; a file that changed is read again. Raises SettingsError naming it."""
        others = sorted(self._path.parent.glob(f"{self._path.stem}.*.pem"))
        paths = [path for path in (self._path, *others) if path.exists()]
        self._read = {path: self._load(path) for path in paths or [self._path]}
        return {str(path): key for path, (_, key) in self._read.items()}

    def add(self, key: SigningKey) -> Path:
        """Save one more key beside the others, under its fingerprint, with their passphrase; the new file."""
        path = self._path.with_name(f"{self._path.stem}.{key.public.fingerprint}.pem")
        key.save(path, self._passphrase)
        return path

    def _load(self, path: Path) -> tuple[Stamp, SigningKey]:
        try:
            status = path.stat()
        except OSError:
            raise SettingsError(f"{path}: no such key file; `exchange init` creates an instance's keys") from None
        stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
        known = self._read.get(path)
        if known is not None and known[0] == stamp:
            return known
        return stamp, SigningKey.load(path, self._passphrase)
