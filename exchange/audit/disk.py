"""Whole files or none: written aside, synced, renamed, and their folders synced.

    folder/tmp/<n>   --fsync-->   rename to folder/<path>   --fsync of each folder on the way-->   durable

SIGKILL at any line leaves at `path` either what was there before or all of the new file; what lies in `tmp`
is nobody's, and is removed at the next start.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from exchange.errors import AuditError, StorageFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Disk:
    """The files below one folder, which exists afterwards; raises AuditError where it cannot be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._aside = folder / "tmp"
        with _translated(folder):
            self._aside.mkdir(parents=True, exist_ok=True)
            self._sync(folder)
            self._sync(folder.parent)

    def clean(self) -> None:
        """Remove what a killed process left half-written; only for the folder's one writer."""
        for path in list(self._aside.iterdir()):
            path.unlink()

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write all of `files` (path below the folder -> content) durably, in their order.

        Raises StorageFull or AuditError; of the new files none is left then, so that retrying has their room.
        """
        renamed: list[Path] = []
        try:
            with _translated(self.folder):
                for path, data in files.items():
                    self._replace(self.folder / path, data)
                    renamed.append(self.folder / path)
                self._sync_folders(renamed)
        except AuditError:
            self.remove(path.relative_to(self.folder).as_posix() for path in renamed)
            raise

    def replace(self, path: str, data: bytes) -> None:
        """Put one file in the place of another, durably; on StorageFull or AuditError the old one is there still."""
        with _translated(self.folder):
            self._replace(self.folder / path, data)
            self._sync_folders([self.folder / path])

    def read(self, path: str) -> bytes | None:
        """A file's content, or None where there is no such file; raises AuditError."""
        with _translated(self.folder):
            try:
                return (self.folder / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def paths(self, below: str) -> Iterator[str]:
        """The path of every file below a folder."""
        for root, _, names in os.walk(self.folder / below):
            for name in names:
                yield (Path(root) / name).relative_to(self.folder).as_posix()

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files and the folders that are empty then; what cannot be removed stays."""
        for path in paths:
            place = self.folder / path
            with suppress(OSError):
                place.unlink()
                place.parent.rmdir()

    def _replace(self, place: Path, data: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = self._aside / str(os.getpid())
        try:
            with aside.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(place)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def _sync_folders(self, places: Iterable[Path]) -> None:
        folders = {folder for place in places for folder in place.parents if self._is_ours(folder)}
        for folder in sorted(folders, key=lambda each: len(each.parts), reverse=True):
            self._sync(folder)

    @staticmethod
    def _sync(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _is_ours(self, folder: Path) -> bool:
        return folder == self.folder or self.folder in folder.parents


@contextmanager
def _translated(folder: Path) -> Iterator[None]:
    """The system's refusals as the exchange's errors."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(
                f"{folder}: no room for the audit log ({error.strerror}); nothing was half-written, "
                "and it goes on by itself once there is room"
            ) from None
        raise AuditError(f"{folder}: the audit log's files cannot be used: {error.strerror or error}") from None
