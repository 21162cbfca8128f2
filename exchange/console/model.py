"""What the page and `/api/throughput.json` show: plain values, no text for people. Rates are events per second."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec


class Flow(msgspec.Struct, frozen=True):
    """Events counted: all of them, per second now, and per second in each of the last complete buckets."""

    total: int
    per_second: float
    recent: tuple[float, ...]


class TopicRow(msgspec.Struct, frozen=True):
    """One topic."""

    topic: str
    published: Flow
    consumed: Flow
    refused: int
    dead_letters: int
    gaps: int


class AgencyRow(msgspec.Struct, frozen=True):
    """One agency: what it publishes and what it consumes; `share` of all that was published, 0 to 1."""

    agency: str
    published: Flow
    consumed: Flow
    share: float


Kind = Literal["permitted", "denied", "failed"]


class OutcomeRow(msgspec.Struct, frozen=True):
    """One outcome of lookups; `share` of all lookups, 0 to 1."""

    outcome: str
    kind: Kind
    lookups: Flow
    share: float


class ServiceRow(msgspec.Struct, frozen=True):
    """One lookup service: how its lookups ended."""

    service: str
    permitted: int
    denied: int
    failed: int


class LagRow(msgspec.Struct, frozen=True):
    """One consumer group on one topic: events not yet consumed, as of `at`; `stale` once its process is silent."""

    group: str
    topic: str
    lag: int
    partitions: int
    worst_partition: str
    worst_lag: int
    at: datetime
    stale: bool


class RefusalRow(msgspec.Struct, frozen=True):
    """Records of one topic refused with one code."""

    topic: str
    code: str
    count: int


class ProcessRow(msgspec.Struct, frozen=True):
    """One process; `since` is when the state began, `reason` why it is not `up`. Uptime in seconds, memory in bytes."""

    name: str
    state: Literal["up", "not_ready", "down", "ended"]
    since: datetime
    reason: str | None
    version: str | None
    uptime: int | None
    memory: int | None


class Totals(msgspec.Struct, frozen=True):
    """The figures at the top."""

    published: Flow
    consumed: Flow
    lookups: Flow
    permitted: int
    denied: int
    failed: int
    refused: int
    dead_letters: int
    gaps: int
    lag: int
    audit_entries: int | None
    consent_changes: int


class Page(msgspec.Struct, frozen=True):
    """Everything, as of `at`; `scraped` is None before the first round."""

    instance: str
    at: datetime
    scraped: datetime | None
    bucket_seconds: int
    notices: tuple[str, ...]
    totals: Totals
    topics: tuple[TopicRow, ...]
    agencies: tuple[AgencyRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    services: tuple[ServiceRow, ...]
    lags: tuple[LagRow, ...]
    refusals: tuple[RefusalRow, ...]
    processes: tuple[ProcessRow, ...]
