"""A small instance to publish and subscribe in: two agencies, their keys, their topics on a real Kafka."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.bus import DeadLetters, Publisher, Subscriber, topic_specs
from exchange.clock import format_millis
from exchange.ids import AgencyId, PublisherId
from exchange.transport.kafka import IdempotentProducer, KafkaAdmin, Outgoing, PartitionConsumer, Received, Written
from exchange.trust import Directory, SigningKey
from tests.fakes.registry_fake import FakeRegistry, FakeSchemaCache

SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Moved",
        "namespace": "uz.test",
        "fields": [{"name": "n", "type": "long"}, {"name": "text", "type": ["null", "string"], "default": None}],
    }
)
OTHER_SCHEMA = json.dumps({"type": "record", "name": "Other", "fields": [{"name": "m", "type": "string"}]})


@dataclass
class ShiftedClock:
    """The machine's clock, shifted by as much as a test says."""

    shift: timedelta = timedelta()

    def now(self) -> datetime:
        """The shifted time."""
        return datetime.now(UTC) + self.shift


@dataclass
class World:
    """One instance. Names are unique, so that tests share a Kafka and nothing else."""

    kafka: str
    partitions: int = 1
    compacted: bool = False
    replication: int = 1
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    def __post_init__(self) -> None:
        self.civil = AgencyId("UZ", "GOV", f"interior-{self.name}", "civil")
        self.social = AgencyId("UZ", "GOV", f"social-{self.name}", "benefits")
        self.keys = {agency: SigningKey.from_seed(_seed(agency)) for agency in (self.civil, self.social)}
        self.further_keys: dict[AgencyId, list[SigningKey]] = {}
        self.topic = f"{self.civil.topic_prefix}moved.v1"
        self.other = f"{self.social.topic_prefix}granted.v1"
        self.publisher_id = PublisherId(self.civil, "residents")
        self.registry.register(f"{self.topic}-value", SCHEMA)
        self.more_topics: list[str] = []
        self.key_days = 365.0
        self.status = "active"
        self.valid = timedelta(days=1)
        self.renew()

    def renew(self) -> None:
        """Sign the directory anew: what was changed in here takes effect."""
        now = datetime.now(UTC)
        self.content = {
            "instance": "UZ",
            "version": 1,
            "issued": format_millis(now),
            "expires": format_millis(now + self.valid),
            "registry_url": "http://127.0.0.1:1",
            "audit_log": {"origin": "uz/audit", "url": "http://127.0.0.1:2", "key": self._key(self.civil)},
            "gateways": [],
            "members": [
                self._member(self.civil, self.topic, ["residents"], self.status),
                self._member(self.social, self.other, ["grants"], "active"),
            ],
        }
        self._directory = Directory.parse(json.dumps(self.content).encode(), "digest")

    def directory(self) -> Directory:
        """The current directory."""
        return self._directory

    @property
    def place(self) -> dict[str, Any]:
        """What another process makes the same instance of: `World(**place)`."""
        return {"kafka": self.kafka, "partitions": self.partitions, "compacted": self.compacted, "name": self.name}

    def cache(self) -> FakeSchemaCache:
        """A schema cache of its own, as each process has."""
        return self.registry.cache()

    async def create_topics(self) -> None:
        """Make the instance's topics."""
        async with KafkaAdmin(self.kafka) as admin:
            await admin.ensure_topics(topic_specs(self._directory, self.replication))

    @classmethod
    async def created(cls, kafka: str, **settings: Any) -> World:
        """An instance whose topics are there."""
        world = cls(kafka, **settings)
        await world.create_topics()
        return world

    def publisher(self, publisher: PublisherId | None = None, **settings: object) -> Publisher:
        """A publisher of the civil register, unless told otherwise."""
        named = publisher or self.publisher_id
        return Publisher(
            named, self.kafka, self.keys[named.agency], self.directory, self.cache(), self.clock, **settings
        )

    def dead_letters(self, group: str) -> DeadLetters:
        """The dead letters of one of social protection's groups."""
        return DeadLetters(self.social, group, self.kafka, self.keys[self.social], self.directory, self.clock)

    def subscriber(self, group: str = "copy", **settings: object) -> Subscriber:
        """A subscriber of social protection to the civil register."""
        topics = settings.pop("topics", [self.topic])
        return Subscriber(
            self.social, self.group(group), topics, self.kafka, self.directory, self.cache(), self.clock, **settings
        )

    def group(self, group: str) -> str:
        """A group's full name."""
        return f"{self.name}-{group}"

    def _member(self, agency: AgencyId, topic: str, publishers: list[str], status: str) -> dict[str, object]:
        entry = {
            "name": topic,
            "publishers": publishers,
            "partitions": self.partitions,
            "compacted": self.compacted,
        }
        keys = [self._key(agency), *(self._later_key(key) for key in self.further_keys.get(agency, ()))]
        more = [{**entry, "name": name} for name in self.more_topics if name.startswith(agency.topic_prefix)]
        subsystem = {"name": agency.subsystem, "keys": keys, "topics": [entry, *more]}
        return {"id": str(agency.member_id), "name": "Member", "status": status, "subsystems": [subsystem]}

    def _key(self, agency: AgencyId) -> dict[str, str]:
        now = datetime.now(UTC)
        days = getattr(self, "key_days", 365.0)
        return {
            "public": self.keys[agency].public.text,
            "not_before": format_millis(now - timedelta(days=30)),
            "not_after": format_millis(now + timedelta(days=days)),
        }

    def _later_key(self, key: SigningKey) -> dict[str, str]:
        now = datetime.now(UTC)
        return {
            "public": key.public.text,
            "not_before": format_millis(now - timedelta(minutes=1)),
            "not_after": format_millis(now + timedelta(days=365)),
        }


def _seed(agency: AgencyId) -> bytes:
    """A key that another process of the same instance finds again by the agency's name."""
    return hashlib.sha256(str(agency).encode()).digest()


async def collect(subscriber: Subscriber, count: int) -> list[object]:
    """The next `count` events, committed batch by batch."""
    found: list[object] = []
    async for batch in subscriber.batches():
        found += batch.events
        await subscriber.commit(batch)
        if len(found) >= count:
            return found
    return found


async def read_all(world: World, count: int, group: str = "reader", **settings: object) -> list[object]:
    """`count` events, read by a new group from the beginning."""
    async with world.subscriber(group, **settings) as subscriber:
        return await collect(subscriber, count)


async def raw_records(world: World, topic: str) -> list[Received]:
    """Every committed record of a topic as it lies there, unverified."""
    found: list[Received] = []
    async with PartitionConsumer(world.kafka) as consumer:
        places = await consumer.partitions(topic)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for polled in await consumer.poll(seconds=0.5, limit=1_000):
                found += polled.records
    return found


async def write_raw(
    world: World,
    topic: str,
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]] = (),
    key: bytes | None = None,
    *,
    partition: int = 0,
) -> Written:
    """Write straight to Kafka, past the exchange."""
    async with IdempotentProducer(world.kafka) as producer:
        return (await producer.write([Outgoing(topic, partition, key, value, list(headers))]))[0]


async def publish(world: World, numbers: Iterable[int]) -> None:
    """Events with these numbers, each of a key of its own, in one transaction."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        for n in numbers:
            publisher.add(world.topic, {"n": n}, key=f"k{n}")
        await publisher.commit()


async def published(world: World, *numbers: int) -> list[Received]:
    """The same, and all that Kafka has of the topic then."""
    await publish(world, numbers)
    return await raw_records(world, world.topic)
