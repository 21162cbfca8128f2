"""A PostgreSQL of one's own for a test: made by initdb in a temporary folder, reached by its socket alone."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

_OWNER = "postgres"
_START_SECONDS = 60.0


class Postgres:
    """A running server, as a context manager. As root it runs as user postgres: it refuses to be root."""

    def __enter__(self) -> Postgres:
        self._folder = Path(tempfile.mkdtemp(prefix="exchange-pg-"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_OWNER)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        data = self._folder / "data"
        self._run([_program("initdb"), "-D", str(data), "-U", _OWNER, "-A", "trust", "--no-sync"])
        settings = [f"unix_socket_directories={self._folder}", "listen_addresses=", "max_connections=50"]
        options = [part for setting in settings for part in ("-c", setting)]
        self._server = subprocess.Popen(
            [*_as_owner(), _program("postgres"), "-D", str(data), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        self._wait_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(_START_SECONDS)
        shutil.rmtree(self._folder)

    def place(self) -> str:
        """A new database, as `open_copy` takes it."""
        name = f"copy_{uuid.uuid4().hex[:8]}"
        self._psql("postgres", f"CREATE DATABASE {name}")
        return f"postgres:{self._folder}:{name}"

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            try:
                self._psql("postgres", "SELECT 1")
            except subprocess.CalledProcessError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"PostgreSQL did not answer within {_START_SECONDS:.0f} s")

    def _psql(self, database: str, statement: str) -> None:
        address = ["-h", str(self._folder), "-U", _OWNER, "-d", database]
        subprocess.run(["psql", "-X", "-q", *address, "-c", statement], check=True, capture_output=True)

    def _run(self, command: list[str]) -> None:
        done = subprocess.run([*_as_owner(), *command], capture_output=True, text=True, check=False, cwd=self._folder)
        assert done.returncode == 0, done.stderr


def _as_owner() -> list[str]:
    return ["runuser", "-u", _OWNER, "--"] if os.geteuid() == 0 else []


def _program(name: str) -> str:
    """Debian keeps the server's programs off the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"{name} was not found: install package postgresql"
    return path
