"""Prometheus text into samples: only the series the console shows, and never more than it can hold.

A body that is not the text format is refused as a whole: half a scrape would show wrong figures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from exchange.errors import TransportError

MAX_BYTES = 4 << 20
"""Largest body that is parsed."""
MAX_SERIES = 5_000
"""Most series that are kept of one process; the page says when there were more."""

PUBLISHED = "exchange_published_total"
CONSUMED = "exchange_consumed_total"
REFUSED = "exchange_refused_total"
DEAD_LETTERS = "exchange_dead_letters_total"
GAPS = "exchange_sequence_gaps_total"
LOOKUPS = "exchange_lookups_total"
CONSENT_CHANGES = "exchange_consent_changes_total"
LAG = "exchange_consumer_lag"
TREE_SIZE = "exchange_audit_tree_size"

_COUNTERS = frozenset({PUBLISHED, CONSUMED, REFUSED, DEAD_LETTERS, GAPS, LOOKUPS, CONSENT_CHANGES})
_GAUGES = frozenset({LAG, TREE_SIZE})
_STARTED = "process_start_time_seconds"
_MEMORY = "process_resident_memory_bytes"
_BUILD = "exchange_build_info"
_KNOWN = _COUNTERS | _GAUGES | {_STARTED, _MEMORY, _BUILD}


class Series(NamedTuple):
    """One time series: a metric's name and its labels, sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def label(self, name: str) -> str | None:
        """The value of a label, or None."""
        return dict(self.labels).get(name)


@dataclass(frozen=True, slots=True)
class Exposition:
    """What one process said of itself: counters and gauges by series, and what it is. Memory in bytes."""

    counters: Mapping[Series, float]
    gauges: Mapping[Series, float]
    started: datetime | None = None
    memory: int | None = None
    version: str | None = None
    truncated: bool = False


def parse_exposition(body: bytes) -> Exposition:
    """Read a `/metrics` body; raises TransportError of code `metrics_malformed`."""
    if len(body) > MAX_BYTES:
        raise _malformed(f"its metrics are larger than {MAX_BYTES >> 20} MiB")
    try:
        return _collect(list(_samples(body.decode("utf-8"))))
    except UnicodeDecodeError:
        raise _malformed("its metrics are not UTF-8") from None
    except (ValueError, IndexError, KeyError, OverflowError) as error:  # all that the parser raises on bad text
        raise _malformed(f"its metrics are not Prometheus text: {error}") from None


def _samples(text: str) -> Iterator[tuple[Series, float]]:
    wanted = "\n".join(line for line in text.split("\n") if _name_of(line) in _KNOWN)
    for family in text_string_to_metric_families(wanted):
        for sample in family.samples:
            if math.isfinite(sample.value) and sample.value >= 0:
                yield Series(sample.name, tuple(sorted(sample.labels.items()))), float(sample.value)


def _name_of(line: str) -> str:
    return line.partition("{")[0].partition(" ")[0]


def _collect(samples: list[tuple[Series, float]]) -> Exposition:
    kept = samples[:MAX_SERIES]
    facts = {series.name: value for series, value in kept}
    return Exposition(
        counters={series: value for series, value in kept if series.name in _COUNTERS},
        gauges={series: value for series, value in kept if series.name in _GAUGES},
        started=datetime.fromtimestamp(facts[_STARTED], UTC) if _STARTED in facts else None,
        memory=int(facts[_MEMORY]) if _MEMORY in facts else None,
        version=next((series.label("version") for series, _ in kept if series.name == _BUILD), None),
        truncated=len(samples) > MAX_SERIES,
    )


def _malformed(message: str) -> TransportError:
    return TransportError(message, code="metrics_malformed")
