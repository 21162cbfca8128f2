"""Publishing for programs without asyncio: the same publisher, in an event loop of its own, in a thread of its own.

with SyncPublisher(Publisher(...)) as publisher:
    publisher.open(topic, schema_text)
    publisher.publish(topic, {...}, key="...")
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from exchange.bus.publishing.bulk import CHUNK
from exchange.bus.publishing.commits import closed
from exchange.bus.publishing.delivery import Deliveries, Delivery
from exchange.bus.publishing.new_event import Absent, Data, NewEvent, TypedEvent
from exchange.bus.publishing.publisher import Publisher
from exchange.bus.publishing.transaction import Transaction
from exchange.errors import SettingsError
from exchange.transport.kafka import is_left_behind

_T = TypeVar("_T")


class SyncPublisher:
    """Runs a publisher that was not started, until `close` or the end of the process; as a context manager.

    Any thread may call; errors are raised to the one that called. `alongside` are async context managers that the
    publisher needs, such as the registry's HTTP client: entered before it, left after it.
    """

    def __init__(self, publisher: Publisher, *, alongside: Sequence[AbstractAsyncContextManager[Any]] = ()) -> None:
        self._publisher = publisher
        self._parts = (*alongside, publisher)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: Callable[[], None] = lambda: None
        self._failure: BaseException | None = None
        self._in_block: int | None = None

    @property
    def position(self) -> dict[str, Any] | None:
        """The application's own place, as it was last committed."""
        return self._publisher.position

    @property
    def epoch(self) -> int:
        """How many times this publisher has started."""
        return self._publisher.epoch

    @property
    def pending(self) -> int:
        """How many records wait for their flush."""
        return self._publisher.pending

    def __enter__(self) -> SyncPublisher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the thread and the publisher. Raises as `Publisher.start`."""
        if self._thread is not None:
            raise SettingsError("this publisher was started before: make a new one")
        started: Future[asyncio.AbstractEventLoop] = Future()
        # A daemon: a program that ends without `close` is not held up. It is closed on the way out.
        self._thread = threading.Thread(target=self._run, args=(started,), name="exchange-publisher", daemon=True)
        self._thread.start()
        self._loop = started.result()
        atexit.register(self.close)

    def close(self) -> None:
        """End the publisher and its thread; calls that still wait are told so. Closing twice is harmless."""
        atexit.unregister(self.close)
        loop, self._loop = self._loop, None
        if loop is None or self._thread is None:
            return
        loop.call_soon_threadsafe(self._ending)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def open(self, topic: str | type[TypedEvent], schema_text: str | None = None) -> None:
        """Make ready to publish to a topic. Raises as `Publisher.open`."""
        self._call(self._publisher.open(topic, schema_text))

    def publish(
        self,
        topic: str | TypedEvent,
        data: Data = Absent.DATA,
        *,
        key: str | None = None,
        subject: str | None = None,
        time: datetime | None = None,
        traceparent: str | None = None,
    ) -> Delivery:
        """Publish one event; returns once it is durable and visible. Threads that call at once share a flush.

        Raises as `Publisher.publish`.
        """
        self._require_outside()
        return self._call(
            self._publisher.publish(topic, data, key=key, subject=subject, time=time, traceparent=traceparent)
        )

    def publish_many(self, events: Iterable[NewEvent], *, delivered: Callable[[Deliveries], None] | None = None) -> int:
        """Publish events as they come; returns once all are delivered: how many. Raises as `Publisher.publish_many`.

        `events` is drawn from, and `delivered` called, in the thread that calls this.
        """
        self._require_outside()
        reports: list[Deliveries] = []
        block = self._publisher.bulk(delivered=reports.append if delivered else None)
        bulk = self._call(block.__aenter__())
        with self._left(block):
            for chunk in _chunks(events):
                self._call(bulk.put(chunk))
                _tell(reports, delivered)
        _tell(reports, delivered)
        return bulk.count

    @contextmanager
    def transaction(self, position: dict[str, Any] | None = None) -> Iterator[Transaction]:
        """A block whose events are published together or not at all. Raises as `Publisher.transaction`."""
        self._require_outside()
        block = self._publisher.transaction(position)
        transaction = self._call(block.__aenter__())
        self._in_block = threading.get_ident()
        with self._left(block):
            try:
                yield transaction  # adds in this thread: as long as the block is open, the loop's adds nothing
            finally:
                self._in_block = None

    @contextmanager
    def _left(self, block: AbstractAsyncContextManager[Any]) -> Iterator[None]:
        """Leave an async block as this one is left."""
        try:
            yield
        except BaseException as error:
            self._call(block.__aexit__(type(error), error, error.__traceback__))
            raise
        self._call(block.__aexit__(None, None, None))

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        loop = self._loop
        if loop is None:
            work.close()
            raise closed("this publisher")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except CancelledError:  # the loop ended under it
            raise closed("this publisher") from None
        except BaseException:
            future.cancel()
            raise

    def _require_outside(self) -> None:
        if self._in_block == threading.get_ident():
            raise SettingsError(
                "a transaction is open in this very thread, which would wait for itself: add to the transaction, or "
                "publish after its block"
            )

    def _run(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(started))
        except BaseException as error:
            if started.done():
                self._failure = error
            else:
                started.set_exception(error)

    async def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        loop.set_exception_handler(_complain)
        self._ending = ended.set
        async with AsyncExitStack() as stack:
            for part in self._parts:
                await stack.enter_async_context(part)
            started.set_result(loop)
            await ended.wait()


def _chunks(events: Iterable[NewEvent]) -> Iterator[list[NewEvent]]:
    """The events, some at a time; where the source fails, first what it gave."""
    source = iter(events)
    while True:
        chunk: list[NewEvent] = []
        try:
            chunk.extend(islice(source, CHUNK))
        except Exception:
            yield chunk
            raise
        if not chunk:
            return
        yield chunk


def _tell(reports: list[Deliveries], delivered: Callable[[Deliveries], None] | None) -> None:
    taken = reports[:]
    del reports[: len(taken)]
    for each in taken:
        if delivered is not None:
            delivered(each)


def _complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not is_left_behind(context):
        loop.default_exception_handler(context)
