"""One sealed, transactional writer: fence, read the position, write; then records and position in one commit.

What a publisher and dead letters share. SIGKILL at any line loses nothing and duplicates nothing: until the commit
nothing is visible, after it the position is there too, and a successor fences before it reads the position.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.avro import RegisteredSchema
from exchange.bus import metrics
from exchange.bus.publishing.positions import (
    POSITIONS_TOPIC,
    FoundPosition,
    Position,
    position_partition,
    position_record,
    read_position,
    read_successor,
)
from exchange.bus.publishing.prepared import Prepared, prepare, sealed, sealing_order
from exchange.clock import Clock, from_unix_millis
from exchange.envelope import MAX_FLUSH, Flush, Opener
from exchange.errors import ClockSkewed, KeyNotValid, PublisherNotAllowed
from exchange.ids import PublisherId, uuid7
from exchange.threads import OwnThreads
from exchange.transport.kafka import KafkaAdmin, Packed, TransactionalProducer, Written
from exchange.trust import Agency, Directory, Signer

_SIGNING = OwnThreads("exchange-sign", 4)

MAX_SKEW_SECONDS = 60.0
"""How far this machine's clock and the broker's may be apart."""

Sequences = Mapping[str, Mapping[int, int]]
"""topic -> partition -> the next `ce_sequence`."""


@dataclass(frozen=True, slots=True)
class SealedTransaction:
    """A transaction ready to be written: its batches, and the position in them."""

    after: Position
    """What is to be committed before it."""
    position: Position
    position_id: str
    """The `ce_id` of the position's record."""
    time: datetime
    key: bytes
    """The public key that its seals are verified with."""
    batches: Sequence[Packed]


class SealedWriter:
    """Writes records of one publisher, sealed, each commit with the position that goes with it."""

    def __init__(
        self,
        publisher: PublisherId,
        bootstrap: str,
        signer: Signer,
        directory: Callable[[], Directory],
        clock: Clock,
        *,
        compression: str = "zstd",
        commit_seconds: float = 60.0,
    ) -> None:
        self._publisher = publisher
        self._bootstrap = bootstrap
        self._signer = signer
        self._directory = directory
        self._clock = clock
        self._producer = TransactionalProducer(
            bootstrap, str(publisher), compression=compression, commit_seconds=commit_seconds
        )
        self._place = -1
        self._position = Position.first()
        self._tried: str | None = None
        self._written: Sequence[Written] | None = None

    @property
    def position(self) -> Position:
        """The position last committed."""
        return self._position

    @property
    def tried(self) -> str | None:
        """The id of the position record that was last written, or tried to."""
        return self._tried

    @property
    def written(self) -> Sequence[Written] | None:
        """What the last commit wrote before it was to be made visible: it counts where the position says it held."""
        return self._written

    @property
    def is_open(self) -> bool:
        """Whether it may write: started, and no commit has failed since."""
        return self._producer.is_open

    async def start(self) -> None:
        """Fence, read the position, begin an epoch (spec 3).

        Raises PublisherNotAllowed, KeyNotValid, BrokerUnreachable, SettingsError (no positions topic), ClockSkewed.
        """
        await self.begin((await self.fence()).position)

    async def fence(self) -> FoundPosition:
        """The position, once whoever wrote under this name before can commit no more. Raises as `start`."""
        self.require_key()
        await self._producer.start()  # the fence
        try:
            self._place = position_partition(self._publisher, await self._producer.partitions(POSITIONS_TOPIC))
            return await read_position(self._bootstrap, self._publisher, self._place, self._opener(), self._clock)
        except BaseException:
            await self.close()
            raise

    async def begin(self, last: Position) -> None:
        """Begin the epoch after `last`, which is what `fence` has found. Raises as `start`."""
        try:
            await self._begin_epoch(last)
        except BaseException:
            await self.close()
            raise

    async def successor(self, epoch: int, own: Collection[str]) -> Position | None:
        """The position of another process that took over after `epoch`, or None; see `read_successor`. Not started."""
        async with KafkaAdmin(self._bootstrap) as admin:
            place = position_partition(self._publisher, await admin.partition_count(POSITIONS_TOPIC))
        return await read_successor(
            self._bootstrap, self._publisher, place, self._opener(), self._clock, epoch=epoch, own=own
        )

    async def close(self) -> None:
        """End the writer; what was not committed never was."""
        await self._producer.close()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; raises SettingsError when there is no such topic."""
        return await self._producer.partitions(topic)

    async def largest_record(self, topic: str) -> int:
        """The most bytes one record of a topic may have."""
        return await self._producer.largest_record(topic)

    def require_key(self) -> Agency:
        """The publisher's agency, once it may write: raises PublisherNotAllowed, KeyNotValid or DirectoryExpired."""
        now = self._clock.now()
        directory = self._directory()
        directory.require_current(now)
        agency = directory.agency(self._publisher.agency)
        if agency is None or not agency.active:
            state = "is not in the directory" if agency is None else "is suspended"
            raise PublisherNotAllowed(f"{self._publisher.agency} {state}: {self._publisher} may not publish")
        public = self._signer.current().public
        if all(key.public.raw != public.raw for key in agency.keys_at(now)):
            raise KeyNotValid(
                f"the signing key {public.fingerprint} of {agency.id} is not valid in the directory "
                f"(version {directory.version}) at {now.isoformat()}: publish the new key there, or sign with it"
            )
        return agency

    async def seal(
        self,
        records: Sequence[Prepared],
        sequences: Sequences,
        application: dict[str, Any] | None,
        after: Position | None = None,
    ) -> SealedTransaction:
        """Records and the position that goes with them, signed and ready to be written once `after` is committed.

        `application` None keeps what `after` has; `after` None is the position last committed. The records are not
        changed: another writer of the same publisher may seal them again. Raises KeyNotValid, KeyUnavailable and the
        like.
        """
        self.require_key()
        before = self._position if after is None else after
        position = _next_position(before, len(records), sequences, application)
        now, name = self._clock.now(), uuid7()
        record = position_record(self._publisher, position, self._place, now, name)
        everything = [*[records[index] for index in sealing_order(records)], prepare(record)]
        flushes = [everything[start : start + MAX_FLUSH] for start in range(0, len(everything), MAX_FLUSH)]
        trees = []
        for number, flush in enumerate(flushes, before.flush + 1):
            leaves = [each.leaf for each in flush]
            trees.append(Flush(self._publisher, leaves, epoch=position.epoch, flush=number, time=now))
            await asyncio.sleep(0)  # heartbeats and signals are served between two trees
        signer = self._signer.current()  # one key for all of it, also while keys are rotated
        signatures = await _SIGNING.run(_sign_all, signer, trees)  # an HSM takes its time
        packing = self._producer.packing()
        for flush, tree, signature in zip(flushes, trees, signatures, strict=True):
            packing.feed(sealed(flush, tree.seals(signer.public.raw, signature)))
            await asyncio.sleep(0)
        return SealedTransaction(before, position, name, now, signer.public.raw, await packing.finish())

    async def write(self, transaction: SealedTransaction) -> list[Written]:
        """Write what was sealed, in one transaction: where each batch lies, the position's last.

        Raises KeyNotValid and the like; ValueError where it does not follow what was committed last. After any error
        from Kafka (PublisherFenced, BrokerUnreachable, TransportError) this writer is closed: a new one finds out what
        holds.
        """
        self.require_key()
        if transaction.after is not self._position:
            raise ValueError("what was sealed does not follow what was committed last")
        with metrics.COMMIT_SECONDS.labels(str(self._publisher)).time():
            return await self._write(transaction)

    async def commit(
        self, records: Sequence[Prepared], sequences: Sequences, application: dict[str, Any] | None
    ) -> list[Written]:
        """Seal, then write. Raises as both."""
        return await self.write(await self.seal(records, sequences, application))

    def follows(self, transaction: SealedTransaction) -> bool:
        """Whether to write what was sealed: it follows what was committed last, signed with the key that signs now."""
        return transaction.after is self._position and transaction.key == self._signer.public.raw

    async def _write(self, transaction: SealedTransaction) -> list[Written]:
        self._tried, self._written = transaction.position_id, None
        async with self._producer.transaction() as under_way:
            self._written = written = await under_way.send(transaction.batches)
            self._require_same_time(written, transaction.time)  # a skewed clock aborts: nothing was written
        # SIGKILL here: the position is durable with its records; only our caller does not know yet.
        self._position = transaction.position
        return written

    async def _begin_epoch(self, last: Position) -> None:
        self._position = Position(1, last.epoch + 1, 0, last.sequences, last.application)
        await self._write(await self.seal([], {}, None))

    def _require_same_time(self, written: Sequence[Written], sealed: datetime) -> None:
        """Compare with the broker's own stamps; topics that keep writers' stamps say nothing."""
        stamps = [each.timestamp for each in written if each.timestamp is not None]
        if not stamps:
            return
        broker = from_unix_millis(stamps[0])
        skew = max((sealed - broker).total_seconds(), (broker - self._clock.now()).total_seconds())
        if skew > MAX_SKEW_SECONDS:
            raise ClockSkewed(
                f"this machine's clock says {sealed.isoformat()}, Kafka's {broker.isoformat()}: they may differ by "
                f"{MAX_SKEW_SECONDS:.0f} s; set this clock (NTP), nothing was published"
            )

    def _opener(self) -> Opener:
        return Opener(self._directory, _NoSchemas(), clock=self._clock)


def _next_position(before: Position, count: int, sequences: Sequences, application: dict[str, Any] | None) -> Position:
    merged = dict(before.sequences)
    for topic, following in sequences.items():
        merged[topic] = {**merged.get(topic, {}), **following}
    flushes = -(-(count + 1) // MAX_FLUSH)
    own = before.application if application is None else application
    return Position(1, before.epoch, before.flush + flushes, merged, own)


def _sign_all(signer: Signer, trees: Sequence[Flush]) -> list[bytes]:
    return [signer.sign(tree.text.encode()) for tree in trees]


class _NoSchemas:
    """Positions are no Avro: their reader needs no schemas."""

    def get(self, schema_id: int) -> RegisteredSchema | None:
        return None
