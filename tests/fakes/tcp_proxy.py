"""A wire to Kafka that a test pauses, cuts and mends; it knows requests by their kind.

    async with TcpProxy(target_port=node.port, port=advertised) as wire:
        wire.pause() ... wire.resume()         # nothing passes, connections stay: a stalled network, a stopped broker
        wire.cut() ... wire.mend()             # connections are reset and new ones refused: a broken cable
        wire.lose_answer(END_TXN)              # the next such request reaches Kafka, its answer is lost with the wire
        wire.lose_request(END_TXN)             # ... or the request itself is

Kafka tells clients where it is, so its `advertised_port` is the proxy's port (`KafkaNode(advertised_port=)`).
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress

from exchange.transport.kafka import free_port

PRODUCE = 0
ADD_PARTITIONS = 24
END_TXN = 26
INIT_PRODUCER_ID = 22

_HOST = "127.0.0.1"
_SIZE = struct.Struct(">i")
_REQUEST = struct.Struct(">hhi")
_CORRELATION = struct.Struct(">i")


class TcpProxy:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`target_port`, frame by frame, as an async context manager."""

    def __init__(self, *, target_port: int, port: int = 0) -> None:
        self.port = port or free_port()
        self.target_port = target_port
        self.was_cut = asyncio.Event()
        """Set by every cut, also by one that a lost answer or request made."""
        self._open = asyncio.Event()
        self._open.set()
        self._refuses = False
        self._lost: dict[int, str] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> TcpProxy:
        self._server = await asyncio.start_server(self._serve, _HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._break()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def pause(self) -> None:
        """Let nothing pass in either direction; connections stay open, also new ones."""
        self._open.clear()

    def resume(self) -> None:
        """Let everything pass that waited."""
        self._open.set()

    def cut(self) -> None:
        """Reset every connection, and refuse new ones until `mend`."""
        self._refuses = True
        self._break()
        self.was_cut.set()

    def mend(self) -> None:
        """Take connections again."""
        self._refuses = False
        self.was_cut.clear()

    def lose_answer(self, kind: int) -> None:
        """Cut the wire when Kafka has answered the next request of this kind, before the answer passes."""
        self._lost[kind] = "answer"

    def lose_request(self, kind: int) -> None:
        """Cut the wire before the next request of this kind passes."""
        self._lost[kind] = "request"

    def _break(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self._refuses:
                writer.transport.abort()
                return
            await self._connect(reader, writer)
        except OSError:
            writer.transport.abort()  # the target is down: so are we
        finally:
            self._connections.discard(task)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(_HOST, self.target_port)
        ends = {writer, to_writer}
        self._writers |= ends
        kinds: dict[int, int] = {}
        try:
            ways = [self._requests(reader, to_writer, kinds), self._answers(to_reader, writer, kinds)]
            tasks = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kinds: dict[int, int]
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                kind, _, correlation = _REQUEST.unpack_from(frame)
                kinds[correlation] = kind
                await self._open.wait()
                if self._lost.get(kind) == "request":
                    del self._lost[kind]
                    self.cut()
                    return
                await _pass_on(frame, writer)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kinds: dict[int, int]) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                kind = kinds.pop(_CORRELATION.unpack_from(frame)[0], -1)
                await self._open.wait()
                if self._lost.get(kind) == "answer":
                    del self._lost[kind]
                    self.cut()
                    return
                await _pass_on(frame, writer)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = _SIZE.unpack(await reader.readexactly(4))
    return await reader.readexactly(size)


async def _pass_on(frame: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(_SIZE.pack(len(frame)) + frame)
    await writer.drain()
