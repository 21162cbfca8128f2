"""Disks without room: a real small file system where this machine lets us mount one, a limit on files everywhere."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def can_mount() -> bool:
    """Whether this process may mount a tmpfs; decided by trying."""
    with tempfile.TemporaryDirectory() as folder:
        if not _mount(Path(folder), 64):
            return False
        _unmount(Path(folder))
        return True


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[Path]:
    """A file system of its own, `kib` KiB large, at `folder`."""
    folder.mkdir(exist_ok=True)
    assert _mount(folder, kib)
    try:
        yield folder
    finally:
        _unmount(folder)


def fill(folder: Path) -> Path:
    """Take all the room there is; the file to delete for having it back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            _write_until_full(file.fileno(), size)
    return ballast


@contextmanager
def no_large_files(limit: int) -> Iterator[None]:
    """No file of this process may grow beyond `limit` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _write_until_full(descriptor: int, size: int) -> None:
    try:
        while True:
            os.write(descriptor, b"\x00" * size)
    except OSError:
        return


def _mount(folder: Path, kib: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True)
