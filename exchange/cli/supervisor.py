"""The processes of one instance on one machine: started detached, remembered in `HOME/run`, stopped in order.

    HOME/run/<name>.json   {"pid": …, "born": …, "url": …}      written once the process is started
    HOME/logs/<name>.log   its stderr

`born` (the kernel's start time of the process) tells our process from another that got the same number later.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from exchange.cli.files import write_whole
from exchange.errors import PeerUnreachable, ProcessError
from exchange.transport.http import HttpClient

_READY_SECONDS = 60.0
_STOP_SECONDS = 12.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """One process: `exchange <arguments>`, answering at `url`."""

    name: str
    arguments: tuple[str, ...]
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)


class Running(msgspec.Struct, frozen=True):
    """What is remembered of a started process."""

    pid: int
    born: str
    url: str

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        return _born(self.pid) == self.born


class Supervisor:
    """Starts and stops the processes of the instance at `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._run = home / "run"
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def running(self) -> dict[str, Running]:
        """What was started and not stopped, by name, dead or alive."""
        files = sorted(self._run.glob("*.json"))
        return {file.stem: msgspec.json.decode(file.read_bytes(), type=Running) for file in files}

    def urls(self) -> dict[str, str]:
        """Where each started process answers, by name."""
        return {name: state.url for name, state in self.running().items()}

    async def start(self, process: Process) -> bool:
        """Start it and wait until it is ready; False where it already runs. Raises ProcessError."""
        if (state := self.running().get(process.name)) is not None and state.is_alive:
            return False
        self._spawn(process)
        await self._until_ready(process)
        return True

    async def stop(self, name: str) -> None:
        """SIGTERM, and SIGKILL after 12 s; forgets the process."""
        state = self.running().get(name)
        if state is not None and state.is_alive:
            os.kill(state.pid, signal.SIGTERM)
            await self._until_gone(name, state)
        (self._run / f"{name}.json").unlink(missing_ok=True)

    def _spawn(self, process: Process) -> None:
        self._run.mkdir(parents=True, exist_ok=True)
        log = self._log(process.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "exchange.cli", "--home", str(self._home), *process.arguments]
        with log.open("ab") as file:
            child = subprocess.Popen(  # noqa: S603  (our own command line)
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env={**os.environ, **process.environment},
                start_new_session=True,
            )
        self._children[process.name] = child
        state = Running(child.pid, _born(child.pid) or "", process.url)
        write_whole(self._run / f"{process.name}.json", msgspec.json.encode(state))

    async def _until_ready(self, process: Process) -> None:
        async with HttpClient(timeout=2.0) as http:
            for _ in range(int(_READY_SECONDS / _POLL_SECONDS)):
                if await _is_ready(http, process.url):
                    return
                if self._children[process.name].poll() is not None:
                    raise self._failed(process, "stopped while starting")
                await asyncio.sleep(_POLL_SECONDS)
        raise self._failed(process, f"was not ready within {_READY_SECONDS:.0f} s")

    def _failed(self, process: Process, what: str) -> ProcessError:
        log = self._log(process.name)
        last = log.read_text(errors="replace").strip().rpartition("\n")[2]
        if self._children[process.name].poll() is not None:
            (self._run / f"{process.name}.json").unlink(missing_ok=True)
        return ProcessError(f"{process.name} {what}: {last.removeprefix('error: ')} (see {log})")

    async def _until_gone(self, name: str, state: Running) -> None:
        for _ in range(int(_STOP_SECONDS / _POLL_SECONDS)):
            self._reap(name)
            if not state.is_alive:
                return
            await asyncio.sleep(_POLL_SECONDS)
        os.kill(state.pid, signal.SIGKILL)

    def _reap(self, name: str) -> None:
        if name in self._children:
            self._children[name].poll()

    def _log(self, name: str) -> Path:
        return self._home / "logs" / f"{name}.log"


async def _is_ready(http: HttpClient, url: str) -> bool:
    try:
        return (await http.send("GET", f"{url}/readyz")).status == 200
    except PeerUnreachable:
        return False


def _born(pid: int) -> str | None:
    """The kernel's start time of a process; None where there is none, or only its exit status is left."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
