"""Line 3: adapters publish the tables; everything published is read back, verified, and held against the tables."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from deploy.demo.report import require
from deploy.demo.stage import Stage
from deploy.demo.story.beginning import progress
from exchange.bus import Subscriber
from exchange.cli.supervisor import Supervisor
from exchange.ids import AgencyId, Identifier
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient

READER = AgencyId.parse("UZ/GOV/procurement/tenders")


@dataclass(frozen=True, slots=True)
class Captured:
    """A table that becomes a topic, and the SQL of its events' keys."""

    topic: str
    database: str
    table: str
    key: str
    pseudonym: str | None = None

    @property
    def keys_query(self) -> str:
        """Every row's key."""
        return f"SELECT {self.key} FROM {self.table}"


TABLES = (
    Captured("gov.statistics.territory.territory-listed.v1", "statistics", "SOATO", "KOD"),
    Captured("gov.customs.tariff.code-listed.v1", "customs", "TNVED", "KOD"),
    Captured("gov.interior.civil.residence-changed.v1", "interior", "FUQARO", "PINFL", pseudonym="uz-pinfl"),
    Captured("gov.hydromet.observations.weather-observed.v1", "hydromet", "OBS_HOURLY", "ORIGIN || '/' || TIME_HOUR"),
    Captured(
        "gov.transport.flights.flight-departed.v1", "transport", "REYSY", "AK || '/' || N_REYSA || '/' || PLAN_OTPR"
    ),
)


async def publish_tables(stage: Stage) -> dict[str, Any]:
    """Start every adapter, wait until all rows are topics, read all of it back."""
    expected = {table.topic: len(stage.rows(table.database, table.keys_query)) for table in TABLES}
    starting = asyncio.create_task(stage.cli("up", "adapters"))
    published = await _watch(stage, expected, starting)
    await starting
    figures = {}
    for table in TABLES:
        figures[table.topic] = {**published[table.topic], **await _read_back(stage, table)}
        stage.counts[table.topic] = expected[table.topic]
    total = sum(expected.values())
    read_seconds = sum(figures[topic]["read_seconds"] for topic in expected)
    stage.tell(f"{total:,} events read back and verified in {read_seconds:.1f} s: {total / read_seconds:,.0f} msg/s")
    return {"events": total, "verified_per_second": round(total / read_seconds), "topics": figures}


async def published_counts(stage: Stage) -> dict[str, int]:
    """Events published by topic, from the metrics of the adapters that run."""
    counts: Counter[str] = Counter()
    for name, url in Supervisor(stage.home).urls().items():
        if name.startswith("adapter-"):
            counts.update(await _published(stage, url))
    return dict(counts)


async def _published(stage: Stage, url: str) -> dict[str, int]:
    try:
        text = await stage.scrape(url)
    except Exception:
        return {}  # not up yet: counted at the next look
    return {
        sample.labels["topic"]: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "exchange_published_total"
    }


async def _watch(stage: Stage, expected: dict[str, int], starting: asyncio.Task[Any]) -> dict[str, dict[str, Any]]:
    """Bars until every topic has its count; when each began and ended gives its rate."""
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    with progress(stage) as bars:
        tasks = {topic: bars.add_task(topic.split(".")[3], total=count) for topic, count in expected.items()}
        while len(ended) < len(expected):
            if starting.done():
                starting.result()
            counts = await published_counts(stage)
            now = time.monotonic()
            for topic, count in expected.items():
                bars.update(tasks[topic], completed=counts.get(topic, 0))
                if counts.get(topic, 0) > 0:
                    began.setdefault(topic, now)
                if counts.get(topic, 0) >= count:
                    ended.setdefault(topic, now)
            await asyncio.sleep(0.25)
    return {
        topic: {"rows": count, "publish_seconds": round(ended[topic] - began[topic], 2)}
        for topic, count in expected.items()
    }


async def _read_back(stage: Stage, table: Captured) -> dict[str, Any]:
    """Every event, verified; the keys are the table's, each as often as in the table."""
    rows = (row[0] for row in stage.rows(table.database, table.keys_query))
    pepper = stage.instance.pepper
    scheme = table.pseudonym
    keys = Counter(Identifier(scheme, row).pseudonym(pepper) if scheme else str(row) for row in rows)
    events: Counter[str] = Counter()
    read: dict[int, int] = {}  # by partition: on a busy machine a group may send its only member back to the beginning
    started = time.monotonic()
    async with HttpClient() as http:
        schemas = SchemaCache(RegistryClient(http, stage.instance.directory().registry_url, stage.instance.clock))
        async with subscriber(stage, table.topic, schemas) as reading:
            async for batch in reading.batches():
                require(not batch.refused, f"{table.topic}: a record was refused: {batch.refused[:1]}")
                fresh = [event for event in batch.events if event.offset >= read.get(batch.partition, 0)]
                events.update(event.key for event in fresh if event.key is not None)
                read[batch.partition] = max(batch.next_offset, read.get(batch.partition, 0))
                if events.total() >= keys.total():
                    break
    seconds = time.monotonic() - started
    require(events == keys, f"{table.topic}: the keys differ from {table.table}: {_difference(events, keys)}")
    stage.tell(f"{table.topic}: {events.total():,} events = {keys.total():,} rows of {table.table}, all verified")
    return {"read_back": events.total(), "read_seconds": round(seconds, 2)}


def subscriber(stage: Stage, topic: str, schemas: SchemaCache) -> Subscriber:
    """A subscriber of procurement's that reads a topic from its beginning and keeps no dead letters."""
    instance = stage.instance
    return Subscriber(
        agency=READER,
        group=f"demo-{topic}",
        topics=[topic],
        bootstrap=instance.settings.kafka.bootstrap,
        directory=instance.directory,
        schemas=schemas,
        clock=instance.clock,
    )


def _difference(events: Counter[str], keys: Counter[str]) -> str:
    missing, extra = (keys - events).total(), (events - keys).total()
    return f"{missing} missing, {extra} too many"
