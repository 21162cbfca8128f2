"""The contenders as processes of their own, started as a user would, and what /proc says of them."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from exchange.transport.kafka import free_port

HOST = "127.0.0.1"
_READY_SECONDS = 300.0
_POLL_SECONDS = 0.01
_STOP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Contender:
    """How a registry is started over a topic; `ready` is the path that answers 200 once it may be used."""

    name: str
    topic: str
    ready: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)

    def at(self, bootstrap: str, port: int, home: Path) -> tuple[list[str], dict[str, str]]:
        """The command line and environment for a Kafka and a port."""
        places = {"bootstrap": bootstrap, "port": str(port), "topic": self.topic, "home": str(home)}
        filled = {name: value.format(**places) for name, value in self.environment.items()}
        return [each.format(**places) for each in self.command], filled


def ours() -> Contender:
    """`exchange registry --open`."""
    command = [sys.executable, "-m", "exchange.cli", "--home", "{home}", "registry", "--open"]
    settings = {"EXCHANGE_KAFKA_BOOTSTRAP": "{bootstrap}", "EXCHANGE_REGISTRY_LISTEN": HOST + ":{port}"}
    return Contender("exchange", "_schemas", "/readyz", command, settings)


def karapace(command: str, highest_id: int) -> Contender:
    """Karapace, by the command that starts it; settled by its environment variables, with a topic of its own."""
    settings = {
        "BOOTSTRAP_URI": "{bootstrap}",
        "HOST": HOST,
        "PORT": "{port}",
        "TOPIC_NAME": "{topic}",
        "GROUP_ID": "karapace-bench",
        "ADVERTISED_HOSTNAME": HOST,
        "ADVERTISED_PORT": "{port}",
        "REPLICATION_FACTOR": "1",
        "COMPATIBILITY": "BACKWARD",
        "KARAPACE_REGISTRY": "true",
        "LOG_LEVEL": "WARNING",
    }
    variables = {f"KARAPACE_{name}": value for name, value in settings.items()}
    return Contender("karapace", "_schemas_karapace", f"/schemas/ids/{highest_id}", shlex.split(command), variables)


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of a process and all that it started: resident now, resident at most, and with shared pages divided."""

    rss: float
    high: float
    pss: float


@dataclass(frozen=True, slots=True)
class Server:
    """A registry that runs."""

    port: int
    pid: int
    start_seconds: float
    """From its start as a process to the first answer that it is ready."""

    def memory(self) -> Memory:
        """What it holds now."""
        status = [_kibibytes(Path(f"/proc/{pid}/status")) for pid in _tree(self.pid)]
        shared = [_kibibytes(Path(f"/proc/{pid}/smaps_rollup")) for pid in _tree(self.pid)]
        sums = (sum(each.get(name, 0) for each in status) for name in ("VmRSS", "VmHWM"))
        return Memory(*(round(each / 1024, 1) for each in (*sums, sum(each.get("Pss", 0) for each in shared))))


@asynccontextmanager
async def started(contender: Contender, bootstrap: str, folder: Path) -> AsyncIterator[Server]:
    """Start, wait until it is ready, and stop it in the end; raises AssertionError with its log's end."""
    port = free_port()
    command, environment = contender.at(bootstrap, port, _home(folder))
    with (folder / f"{contender.name}.log").open("ab") as log:
        began = time.perf_counter()
        child = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        await _ready(child, port, contender.ready, Path(log.name))
        yield Server(port, child.pid, time.perf_counter() - began)
    finally:
        await asyncio.to_thread(_stop, child)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process and all that it started have used, the system's share included."""
    ticks = 0
    for each in _tree(pid):
        with suppress(FileNotFoundError):
            values = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += int(values[11]) + int(values[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _home(folder: Path) -> Path:
    """A home with the default settings: what differs comes from the environment."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (home / "exchange.yaml").write_text("instance: BENCH\n")
    return home


async def _ready(child: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    async with asyncio.timeout(_READY_SECONDS):
        while not await _answers(port, path):
            assert child.poll() is None, f"{child.args} ended with {child.returncode}:\n{log.read_text()[-2000:]}"
            await asyncio.sleep(_POLL_SECONDS)


async def _answers(port: int, path: str) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: registry\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in line


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for each in path.read_text().split():
                yield from _tree(int(each))


def _kibibytes(path: Path) -> dict[str, int]:
    try:
        lines = [line.split() for line in path.read_text().splitlines()]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {line[0].rstrip(":"): int(line[1]) for line in lines if len(line) == 3 and line[2] == "kB"}
