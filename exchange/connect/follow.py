"""Events -> rows, as a task: subscribes, writes batch after batch, keeps what does not fit as dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from exchange.bus import Batch
from exchange.connect import metrics
from exchange.connect.config import Subscription
from exchange.connect.ports import AdapterContext, Bus, EventSubscriber, UnfitEvent, UnfitEvents
from exchange.connect.retry import Backoff, require_first_start
from exchange.connect.sink import SqlSink
from exchange.errors import DatabaseUnavailable, ExchangeError, PublisherFenced, SinkFenced, TransportError
from exchange.ids import AgencyId

log = structlog.get_logger()


class Follow:
    """One subscription of an adapter file."""

    def __init__(
        self, agency: AgencyId, subscription: Subscription, sink: SqlSink, bus: Bus, context: AdapterContext
    ) -> None:
        self._subscription = subscription
        self._group = f"{agency}/{subscription.name}"
        self._labels = (str(agency), subscription.table)
        self._sink = sink
        self._bus = bus
        self._context = context
        self._has_started = False
        self.is_ready = False

    @property
    def name(self) -> str:
        """The subscription's name in the adapter file."""
        return self._subscription.name

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop`. Failures that may pass are waited out; raises every other error."""
        backoff = Backoff(self._context.patience, stop)
        unfit_events = self._bus.unfit_events(self._group)
        try:
            while not stop.is_set():
                try:
                    await self._subscribe(stop, backoff, unfit_events)
                except PublisherFenced as error:  # of dead letters: another member has the partition now
                    await self._wait(SinkFenced(error.message), backoff)
                except ExchangeError as error:
                    await self._wait(error, backoff)
        finally:
            await unfit_events.close()

    async def _wait(self, error: ExchangeError, backoff: Backoff) -> None:
        require_first_start(error, self._has_started)
        self.is_ready = False
        await backoff.after(error, self.name)

    async def _subscribe(self, stop: asyncio.Event, backoff: Backoff, unfit_events: UnfitEvents) -> None:
        await self._sink.open()
        topic, start = self._subscription.topic, self._subscription.from_
        async with self._bus.subscriber(self._group, topic, self._sink, start) as subscriber:
            self.is_ready = self._has_started = True
            stopping = asyncio.create_task(_stop_with(subscriber, stop))
            try:
                async for batch in subscriber.batches():
                    if not await self._write(batch, stop, backoff, unfit_events):
                        return
                    with suppress(TransportError):  # the place that counts is in the database already
                        await subscriber.commit(batch)
            finally:
                stopping.cancel()

    async def _write(self, batch: Batch, stop: asyncio.Event, backoff: Backoff, unfit_events: UnfitEvents) -> bool:
        """Write one batch, however often the database is away; False when stopped before it was written."""
        kept: dict[int, UnfitEvent] = {}
        while True:
            try:
                unfit = await self._sink.apply(self._group, batch, frozenset(kept))
                if not unfit:
                    break
                await self._keep(batch, unfit, unfit_events)
                kept |= {each.offset: each for each in unfit}
            except DatabaseUnavailable as error:
                if stop.is_set():
                    return False
                await backoff.after(error, self.name)
        backoff.reset()
        self._report(batch, len(kept))
        return True

    async def _keep(self, batch: Batch, unfit: Sequence[UnfitEvent], unfit_events: UnfitEvents) -> None:
        """Before the rows: a crash in between finds them kept, and keeps none of them again."""
        await unfit_events.keep(batch, unfit)
        for each in unfit:
            metrics.ERRORS.labels(each.error.code).inc()
            log.warning(
                "event_refused",
                topic=batch.topic,
                partition=batch.partition,
                offset=each.offset,
                table=self._subscription.table,
                reason=each.error.message,
            )

    def _report(self, batch: Batch, refused: int) -> None:
        metrics.ROWS.labels(*self._labels, "in").inc(len(batch.events) - refused)
        metrics.REFUSED.labels(*self._labels, "in").inc(refused)
        if batch.events and not batch.redelivered:  # what comes again is old, and says nothing about how far behind
            age = self._context.clock.now() - batch.events[-1].time
            metrics.LAG_SECONDS.labels(*self._labels).set(age.total_seconds())


async def _stop_with(subscriber: EventSubscriber, stop: asyncio.Event) -> None:
    await stop.wait()
    subscriber.stop()
