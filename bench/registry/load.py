"""The load: keep-alive clients in a process of their own, with requests made beforehand and as little else as can be.

Each client sends its next request when the answer to the last is there. Every answer's status is checked as it comes;
bodies of the requests that say what they expect are compared after the clock has stopped.
"""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import uvloop

_CONNECT_SECONDS = 30.0
_SILENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes to send, and of the answer the status and (unless None) what its body must hold."""

    raw: bytes
    status: int = 200
    holds: Any = None


@dataclass(frozen=True, slots=True)
class Job:
    """What to send where: until the requests are used up (or over and over, with `cycle`) or the time is."""

    host: str
    port: int
    requests: list[Request]
    clients: int
    seconds: float
    cycle: bool = False
    distinct_ids: bool = False
    """Each answer must carry an `id` that no other carries."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies in seconds, in the order of the answers."""

    seconds: float
    latencies: list[float]
    cpu_seconds: float


@dataclass(slots=True)
class _Run:
    job: Job
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]
    deadline: float = 0.0
    sent: int = 0
    open: int = 0
    latencies: list[float] = field(default_factory=list)
    bodies: list[tuple[int, bytes]] = field(default_factory=list)

    def next(self) -> int | None:
        """The number of the next request to send; None when it is over."""
        job = self.job
        if time.perf_counter() >= self.deadline or (not job.cycle and self.sent >= len(job.requests)):
            return None
        self.sent += 1
        return (self.sent - 1) % len(job.requests)

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(AssertionError(reason))


class _Client(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._wanted = 0
        self._number: int | None = None
        self._started = 0.0
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._number is not None:
            self._run.fail(f"the server closed the connection: {error}")

    def send(self) -> None:
        """The next request, or the end of this client."""
        self._number = self._run.next()
        if self._number is None:
            self._transport.close()
            self._run.open -= 1
            if not self._run.open and not self._run.done.done():
                self._run.done.set_result(None)
            return
        self._buffer, self._wanted = b"", 0
        self._started = time.perf_counter()
        self._transport.write(self._run.job.requests[self._number].raw)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._wanted:
            self._wanted = _length(self._buffer)
        if self._wanted and len(self._buffer) >= self._wanted:
            self._run.latencies.append(time.perf_counter() - self._started)
            self._check()
            self.send()

    def _check(self) -> None:
        run, number = self._run, self._number
        request = run.job.requests[number or 0]
        if int(self._buffer[9:12]) != request.status:
            answer = self._buffer if len(self._buffer) < 600 else self._buffer[:300] + b" ... " + self._buffer[-300:]
            run.fail(f"{request.raw[:100]!r}: expected {request.status}, was {answer!r}")
        if run.job.distinct_ids or request.holds is not None:
            run.bodies.append((number or 0, self._buffer))


def new_process() -> ProcessPoolExecutor:
    """A process for `run`, started afresh rather than forked from this one."""
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))


def run(job: Job) -> Measured:
    """Send, measure, then check; raises AssertionError for a wrong answer."""
    before = time.process_time()
    measured, bodies = uvloop.run(_run(job))
    cpu = time.process_time() - before
    _verify(job, bodies)
    return Measured(measured[0], measured[1], cpu)


async def _run(job: Job) -> tuple[tuple[float, list[float]], list[tuple[int, bytes]]]:
    loop = asyncio.get_running_loop()
    state = _Run(job, loop, loop.create_future())
    clients = []
    async with asyncio.timeout(_CONNECT_SECONDS):
        for _ in range(job.clients):
            _, client = await loop.create_connection(lambda: _Client(state), job.host, job.port)
            clients.append(client)
    state.open = len(clients)
    started = time.perf_counter()
    state.deadline = started + job.seconds
    for client in clients:
        client.send()
    async with asyncio.timeout(job.seconds + _SILENCE_SECONDS):
        await state.done
    return (time.perf_counter() - started, state.latencies), state.bodies


def _length(buffer: bytes) -> int:
    """Bytes of the whole answer; 0 while its headers are not all there."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    assert at >= 0, f"an answer without a length: {head!r}"
    return end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])


def _verify(job: Job, bodies: list[tuple[int, bytes]]) -> None:
    ids = set()
    for number, raw in bodies:
        body = json.loads(raw.partition(b"\r\n\r\n")[2])
        expected = job.requests[number].holds
        assert expected is None or _holds(body, expected), f"{job.requests[number].raw[:200]!r}: {body}, not {expected}"
        if job.distinct_ids:
            assert body["id"] not in ids, f"id {body['id']} was given twice"
            ids.add(body["id"])


def _holds(body: Any, expected: Any) -> bool:
    """Whether a body is what was expected; of an object, whether it has these members."""
    if isinstance(expected, dict):
        return isinstance(body, dict) and all(body.get(name) == value for name, value in expected.items())
    return bool(body == expected)
