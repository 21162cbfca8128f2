"""Writers: one whose unit is a transaction, one whose unit is a durable append.

aiokafka does not fail a transaction when one of its batches fails, and gives up nothing by itself while a broker
is away; so every batch is awaited here before a commit, and everything has a deadline. A producer that failed is
closed for good: what it had on the wire is fenced by its successor's InitProducerId.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError
from aiokafka.producer import sender

from exchange.errors import TransportError
from exchange.transport.kafka.admin import KafkaAdmin
from exchange.transport.kafka.batches import BATCH_BYTES, BatchSizes, Packed, Packing, send, written
from exchange.transport.kafka.encoding import encode
from exchange.transport.kafka.failures import CONNECT_SECONDS, translated
from exchange.transport.kafka.record import Outgoing, Partition, Written

_MAX_REQUEST_BYTES = 16 * 1024 * 1024
_REQUEST_SECONDS = 15.0  # then another broker is asked: one that stands still holds its connections open
_STOP_SECONDS = 5.0
_FAILED_STOP_SECONDS = 0.5
_ABORT_SECONDS = 5.0
_CANCELLED_ABORT_SECONDS = 1.0  # the program ends: a successor's fence aborts as well, or the broker after 30 s

# A transaction that begins right after another is asked to wait until the broker has written the other's markers, some
# milliseconds. aiokafka asks again after 20 ms, three times what such a transaction takes; we after 2.
sender.BACKOFF_OVERRIDE = 0.002


class Producer:
    """What both writers share: a started aiokafka producer, and an end that always comes."""

    def __init__(self, bootstrap: str, *, compression: str | None, **settings: Any) -> None:
        self._bootstrap = bootstrap
        self._settings = {
            "max_batch_size": BATCH_BYTES,
            "max_request_size": _MAX_REQUEST_BYTES,
            "request_timeout_ms": int(_REQUEST_SECONDS * 1000),
            **settings,
        }
        self._compression = compression
        self._sizes = BatchSizes(compression, transactional="transactional_id" in settings)
        self._producer: Any = None

    @property
    def is_open(self) -> bool:
        """Whether it was started and neither closed nor failed since."""
        return self._producer is not None

    async def start(self) -> None:
        """Connect, and for a transactional writer fence; raises BrokerUnreachable within 10 s."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, compression_type=self._compression, acks="all", **self._settings
        )
        try:
            async with translated(self._bootstrap, CONNECT_SECONDS):
                await self._producer.start()
        except BaseException:
            await self.close(drain_seconds=_FAILED_STOP_SECONDS)
            raise

    async def close(self, *, drain_seconds: float = _STOP_SECONDS) -> None:
        """End the producer, whatever state it and the broker are in."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(producer.stop(), drain_seconds)
        await _end_sender(producer)
        with suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(producer.client.close(), _STOP_SECONDS)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; raises SettingsError when there is no such topic."""
        async with KafkaAdmin(self._bootstrap) as admin:
            return await admin.partition_count(topic)

    async def largest_record(self, topic: str) -> int:
        """The most bytes a topic takes in one batch, hence in one record; batches for it grow to that from now on."""
        async with KafkaAdmin(self._bootstrap) as admin:
            largest = int((await admin.settings(topic))["max.message.bytes"])
        self._sizes.learn(topic, largest)
        return largest

    def require_fits(self, records: Iterable[Outgoing]) -> None:
        """Raises RecordTooLarge before anything is sent, where the topic's limit was asked for (`largest_record`)."""
        for record in records:
            self._sizes.require_fits(record)

    def _open(self) -> Any:
        if self._producer is None:
            raise TransportError("this producer is closed, or failed before: start a new one", code="producer_closed")
        return self._producer

    def packing(self) -> Packing:
        """What puts records into batches as large as their topics take (`largest_record`)."""
        return Packing(self._sizes)

    async def _packed(self, records: Iterable[Outgoing]) -> list[Packed]:
        packing = self.packing()
        packing.feed(map(encode, records))
        return await packing.finish()


class TransactionalProducer(Producer):
    """One writer per transactional id: starting it fences every other, and ends what they left open."""

    def __init__(
        self,
        bootstrap: str,
        transactional_id: str,
        *,
        compression: str | None = "zstd",
        transaction_seconds: float = 30.0,
        commit_seconds: float = 60.0,
    ) -> None:
        limit = int(transaction_seconds * 1000)
        super().__init__(
            bootstrap, compression=compression, transactional_id=transactional_id, transaction_timeout_ms=limit
        )
        self._commit_seconds = commit_seconds

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """All or nothing: commits when the block ends; on any error aborts, closes this producer and raises.

        Raises PublisherFenced, BrokerUnreachable or TransportError. After BrokerUnreachable the outcome may be
        either: a new producer of the same id settles it when it starts.
        """
        producer = self._open()
        try:
            async with translated(self._bootstrap, self._commit_seconds):
                await producer.begin_transaction()
                try:
                    yield Transaction(producer, self._packed)
                    # SIGKILL before here: nothing of the block is ever visible; after: all of it is.
                    await producer.commit_transaction()
                except IllegalOperation as error:
                    raise _what_ended(producer) or error from None
        except BaseException as error:
            await self._abandon(producer, _ABORT_SECONDS if isinstance(error, Exception) else _CANCELLED_ABORT_SECONDS)
            raise

    async def _abandon(self, producer: Any, seconds: float) -> None:
        with suppress(Exception):
            await asyncio.wait_for(producer.abort_transaction(), seconds)
        await self.close(drain_seconds=_FAILED_STOP_SECONDS)


class Transaction:
    """An open transaction."""

    def __init__(self, producer: Any, packed: Callable[[Iterable[Outgoing]], Awaitable[list[Packed]]]) -> None:
        self._producer = producer
        self._packed = packed

    async def write(self, records: Iterable[Outgoing]) -> list[Written]:
        """Write records, and wait until all are durable; visible with the commit. Returns as `send`."""
        return await self.send(await self._packed(records))

    async def send(self, batches: Iterable[Packed]) -> list[Written]:
        """Write what was packed before: where each batch lies, in the order given. Order within a partition is kept."""
        return await send(self._producer, batches)


class IdempotentProducer(Producer):
    """A writer whose unit is one durable append (acks=all, idempotent), as an async context manager."""

    def __init__(self, bootstrap: str, *, compression: str | None = None, append_seconds: float = 10.0) -> None:
        super().__init__(bootstrap, compression=compression, enable_idempotence=True)
        self._append_seconds = append_seconds

    async def __aenter__(self) -> IdempotentProducer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def append(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> Written:
        """Append one record and return once every in-sync replica has it; concurrent calls share requests.

        Raises RecordTooLarge, BrokerUnreachable or TransportError. After BrokerUnreachable the record may be
        there all the same.
        """
        producer = self._open()
        async with translated(self._bootstrap, self._append_seconds):
            meta = await producer.send_and_wait(topic, value, key=key, partition=partition, headers=list(headers))
        return written(Partition(meta.topic, meta.partition), meta)

    async def write(self, records: Iterable[Outgoing]) -> list[Written]:
        """Append many records; not atomic. Raises as `append` does."""
        async with translated(self._bootstrap, self._append_seconds):
            return await send(self._open(), await self._packed(records))


def _what_ended(producer: Any) -> BaseException | None:
    """Why a transaction is over that was not ended here: aiokafka's own loop met it, a batch only finds it closed."""
    waiter = producer._txn_manager.wait_for_transaction_end()
    return waiter.exception() if waiter is not None and waiter.done() and not waiter.cancelled() else None


async def _end_sender(producer: Any) -> None:
    """Cancel aiokafka's sender until it is gone: with the broker away it would otherwise retry for ever."""
    task = getattr(producer._sender, "sender_task", None)
    for _ in range(100):
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
