"""Publishing the lines of a file: in transactions, each with the place in the file, and where the events went."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exchange.bus import Publisher
from exchange.cli.output import note
from exchange.cli.topic_lines import BadLine, Line
from exchange.cli.topic_statements import statement_of
from exchange.envelope import Record
from exchange.errors import RecordTooLarge, SettingsError, ValueInvalid
from exchange.ids import PublisherId
from exchange.transport.kafka import Partition, PartitionConsumer

TRANSACTION = 10_000
"""Lines of one transaction."""

_READ_BACK_SECONDS = 60.0
_POLL_SECONDS = 0.5
_POLL_RECORDS = 2_000


@dataclass(frozen=True, slots=True)
class Part:
    """Where events are in one partition, as they were read back."""

    partition: int
    events: int
    first_offset: int
    last_offset: int


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a file: how many events now, how many lines in an earlier run, in which epoch, and where."""

    events: int
    before: int
    epoch: int
    parts: tuple[Part, ...]


class Publication:
    """One file on its way to one topic, by a publisher that has started and has the topic open.

    The publisher's position is `{"file": digest, "line": n}`: who is killed goes on there, and a file that is given
    twice by mistake is published once.
    """

    def __init__(self, publisher: Publisher, name: PublisherId, topic: str, bootstrap: str, digest: str) -> None:
        self._publisher = publisher
        self._name = name
        self._topic = topic
        self._bootstrap = bootstrap
        self._digest = digest

    def fitting(self, lines: Iterable[Line]) -> tuple[list[Line], list[BadLine]]:
        """The lines whose records the topic takes, and the others; nothing is published."""
        good: list[Line] = []
        bad: list[BadLine] = []
        for line in lines:
            try:
                self._add(line)
                good.append(line)
            except (RecordTooLarge, ValueInvalid) as error:
                bad.append(BadLine(line.number, error.message))
            if len(good) % TRANSACTION == 0:
                self._publisher.discard()
        self._publisher.discard()
        return good, bad

    async def publish(self, lines: Sequence[Line], *, again: bool) -> Published:
        """Publish what was not published before; raises SettingsError where the publisher is another program's."""
        done = self._done()
        if again and lines and done >= lines[-1].number:
            done = 0
        rest = [line for line in lines if line.number > done]
        async with PartitionConsumer(self._bootstrap) as consumer:
            places = await consumer.partitions(self._topic)
            before = await consumer.end_offsets(places)
            for start in range(0, len(rest), TRANSACTION):
                await self._commit(rest[start : start + TRANSACTION])
            await self._publisher.finish_commit()
            parts = await self._read_back(consumer, before, len(rest))
        return Published(len(rest), len(lines) - len(rest), self._publisher.epoch, parts)

    def _done(self) -> int:
        """Up to which line this file was published before."""
        place = self._publisher.position
        if place is None:
            return 0
        if set(place) != {"file", "line"}:
            raise SettingsError(
                f"{self._name} keeps the place of another program: publish under a name that no other program uses"
            )
        return int(place["line"]) if place["file"] == self._digest else 0

    async def _commit(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._add(line)
        # SIGKILL here or later: the events and the line they end at are there together, or neither is.
        await self._publisher.begin_commit({"file": self._digest, "line": lines[-1].number})

    def _add(self, line: Line) -> None:
        self._publisher.add(self._topic, line.data, key=line.key, subject=line.subject)

    async def _read_back(
        self, consumer: PartitionConsumer, before: Mapping[Partition, int], count: int
    ) -> tuple[Part, ...]:
        """Where this run's `count` events are, once others can read them; others may publish to the topic meanwhile.

        A commit is durable before readers of committed records see it: Kafka marks the partitions after it answered.
        """
        found: dict[int, list[int]] = {}
        consumer.assign(before)
        for place, offset in before.items():
            consumer.seek(place, offset)
        try:
            async with timeout(_READ_BACK_SECONDS):
                while sum(map(len, found.values())) < count:
                    for polled in await consumer.poll(seconds=_POLL_SECONDS, limit=_POLL_RECORDS):
                        found.setdefault(polled.place.number, []).extend(
                            each.offset for each in polled.records if self._is_own(each)
                        )
        except TimeoutError:
            note("the events are published; not all of them could be read back within a minute")
        return tuple(Part(each, len(at), at[0], at[-1]) for each, at in sorted(found.items()) if at)

    def _is_own(self, record: Record) -> bool:
        statement = statement_of(record)
        if statement is None or statement.publisher != self._name:
            return False
        return statement.epoch == self._publisher.epoch
