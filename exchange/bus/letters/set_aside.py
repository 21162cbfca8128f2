"""Setting aside: events that verified and that could not be processed, as letters, each exactly once (spec 2).

A letter goes to the next back-off topic where trying again may help, else to the dead letters. What was set aside of
a batch is in the writer's position, in the transaction of the letters: SIGKILL between that and the commit of the
batch brings the batch again, and none of its letters.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.bus import metrics
from exchange.bus.letters.letter import (
    BYTES_PER_COMMIT,
    Case,
    Reason,
    letter_bytes,
    letter_of,
    letter_place,
    lost_letter,
)
from exchange.bus.letters.originals import Originals
from exchange.bus.letters.writers import LetterWriters, Post
from exchange.bus.subscribing.batch import Batch
from exchange.clock import to_unix_millis
from exchange.envelope import Record, Unsealed
from exchange.transport.kafka import Partition

DELAYS = (10.0, 60.0, 600.0)
"""Seconds that a letter waits on each of the back-off topics, whose names say so."""


Fetch = Callable[[int], Awaitable[Record | None]]

_LETTERS_PER_COMMIT = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """That the event `batch.events[index]` could not be processed: why, and after how many attempts in all.

    `retriable`: the same may succeed later, so it is tried again before it is a dead letter. `kind` is the same for
    failures of the same sort.
    """

    index: int
    reason: Reason
    retriable: bool
    attempts: int
    kind: str = ""


class SetAside:
    """The letters of one group about events it could not process. `purpose` names its publishers.

    `handler` is named in each letter. `delays`: seconds, one for each back-off topic of the agency.
    """

    def __init__(
        self,
        group: str,
        post: Post,
        *,
        purpose: str = "set-aside",
        handler: str | None = None,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._group = group
        self._post = post
        self._handler = handler
        self._delays = dict(zip(post.agency.retry_topics, delays, strict=True))
        self._writers = LetterWriters(purpose, group, post)
        self._assignment = -1

    async def keep(self, batch: Batch, failures: Sequence[Failure]) -> int:
        """Write a letter of each failure that has none yet; how many. Durable when it returns.

        Raises PublisherFenced when another member took the partition over, and what Kafka raises; calling again
        (after a restart) keeps each once.
        """
        if not failures:
            return 0
        await self._follow(batch.assignment)
        place = Partition(batch.topic, batch.partition)
        kept = _kept(await self._writers.position(place), batch.first_offset)
        numbered = {number_of(batch, each.index): each for each in failures}
        fresh = {number: numbered[number] for number in sorted(numbered.keys() - set(kept))}
        if fresh:
            async with self._records(batch, place) as fetch:
                await self._write(batch, place, fresh, kept, fetch)
            self._count(batch, fresh.values())
        return len(fresh)

    async def close(self) -> None:
        """Close every writer."""
        await self._writers.close()

    def next_topic(self, topic: str, *, retriable: bool) -> str:
        """Where a record goes that was read from `topic`: the first back-off topic, the next one, or dead letters."""
        agency = self._post.agency
        if retriable:
            passed = agency.retry_topics.index(topic) + 1 if topic in agency.retry_topics else 0
            return (*agency.retry_topics, agency.dead_letter_topic)[passed]
        return agency.dead_letter_topic

    async def _follow(self, assignment: int) -> None:
        """Partitions moved: a writer from before may be fenced by the member that had its partition meanwhile."""
        if assignment != self._assignment:
            await self._writers.close()
            self._assignment = assignment

    async def _write(
        self, batch: Batch, place: Partition, fresh: Mapping[int, Failure], kept: list[int], fetch: Fetch
    ) -> None:
        """Some letters at a time, each time with all that was kept so far."""
        letters: list[Unsealed] = []
        for number, failure in fresh.items():
            letters.append(self._letter(batch, failure, await fetch(number)))
            kept.append(number)
            is_last = number == max(fresh)
            if is_last or len(letters) == _LETTERS_PER_COMMIT or sum(map(letter_bytes, letters)) > BYTES_PER_COMMIT:
                await self._writers.commit(place, letters, {"from": batch.first_offset, "kept": kept})
                letters = []

    @asynccontextmanager
    async def _records(self, batch: Batch, place: Partition) -> AsyncIterator[Fetch]:
        """The records as they were published: from the letters that brought them, or from the topic itself."""
        if batch.redelivered:
            brought = {each.number: each.record for each in batch.redelivered}

            async def at_hand(number: int) -> Record | None:
                return brought[number]

            yield at_hand
            return
        async with Originals(self._post.bootstrap, place) as originals:
            yield originals.fetch

    def _letter(self, batch: Batch, failure: Failure, record: Record | None) -> Unsealed:
        topic = self.next_topic(batch.topic, retriable=failure.retriable)
        publisher = self._writers.publisher(Partition(batch.topic, batch.partition))
        now = self._post.clock.now()
        case = self._case(batch, failure, topic, now)
        if record is not None:
            return letter_of(publisher, topic, record, case, now)
        event = batch.events[failure.index]
        key = None if event.key is None else event.key.encode()
        dead = self._post.agency.dead_letter_topic  # nothing is left to try again
        return lost_letter(publisher, dead, (event.topic, event.partition, event.offset), key, case, now)

    def _case(self, batch: Batch, failure: Failure, topic: str, now: datetime) -> Case:
        delay = self._delays.get(topic)
        due = None if delay is None else to_unix_millis(now) + round(delay * 1000)
        origin = None
        if batch.redelivered:
            origin = letter_place(batch.topic, batch.partition, batch.redelivered[failure.index].number)
        return Case(failure.reason, self._group, failure.attempts, self._handler, due, origin)

    def _count(self, batch: Batch, failures: Iterable[Failure]) -> None:
        for each in failures:
            source, code = batch.events[each.index].topic, each.reason.code
            topic = self.next_topic(batch.topic, retriable=each.retriable)
            if topic == self._post.agency.dead_letter_topic:
                metrics.DEAD_LETTERS.labels(source, code).inc()
            else:
                metrics.RETRIES.labels(source, self._group, topic.rpartition(".")[2], code).inc()


def number_of(batch: Batch, index: int) -> int:
    """The offset at which the event was read: its own, or that of the letter that brought it back."""
    return batch.redelivered[index].number if batch.redelivered else batch.events[index].offset


def _kept(position: Mapping[str, Any], first_offset: int) -> list[int]:
    """What was set aside before of a batch that comes again.

    A batch from before the last one kept is no repetition: the group was set back by hand, and all counts anew.
    """
    if first_offset < position.get("from", 0):
        return []
    return [offset for offset in position.get("kept", []) if offset >= first_offset]
