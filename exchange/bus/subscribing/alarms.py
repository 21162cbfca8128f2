"""What an operator is told of: records refused, and a publisher's sequence that does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import structlog

from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal
from exchange.envelope import FORKED, REPLAYED, Event, Gap
from exchange.trust import Directory

_LOG = structlog.get_logger(__name__)
_COUNTED = {REPLAYED: metrics.SEQUENCE_REPLAYS, FORKED: metrics.SEQUENCE_FORKS}
_SAID = {REPLAYED: "sequence replay", FORKED: "sequence fork"}


class Alarms:
    """The counters and log lines of one subscriber."""

    def __init__(self, directory: Callable[[], Directory], topics: Iterable[str]) -> None:
        self._directory = directory
        for topic in topics:  # there from the start, at 0: an alert on an increase sees the first
            for counter in (metrics.SEQUENCE_GAPS, *_COUNTED.values()):
                counter.labels(topic)

    def hole(self, event: Event, gap: Gap) -> None:
        """A hole is an alarm and no reason to withhold a good record; on a compacted topic it is no hole."""
        entry = self._directory().topic(event.topic)
        if entry is not None and entry.compacted:
            return
        metrics.SEQUENCE_GAPS.labels(event.topic).inc()
        _LOG.error(
            "sequence gap",
            topic=event.topic,
            partition=event.partition,
            offset=event.offset,
            publisher=event.publisher,
            expected=gap.expected,
            sequence=gap.found,
        )

    def refused(self, refused: Sequence[Refusal]) -> None:
        """Each refusal, by its code and its place; a replay or a fork is an alarm as well."""
        for each in refused:
            topic, code = each.record.topic, each.error.code
            metrics.REFUSED.labels(topic, code).inc()
            say = _LOG.warning
            if code in _COUNTED:
                _COUNTED[code].labels(topic).inc()
                say = _LOG.error
            say(
                _SAID.get(code, "record refused"),
                topic=topic,
                partition=each.record.partition,
                offset=each.record.offset,
                code=code,
                reason=each.error.message,
            )

    def unverified(self, topic: str, group: str, count: int) -> None:
        """Events that nobody vouches for were handed out: development only."""
        metrics.UNVERIFIED.labels(topic, group).inc(count)
        _LOG.warning("events not verified", topic=topic, group=group, count=count)
