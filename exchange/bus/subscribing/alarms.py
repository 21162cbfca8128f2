"""What an operator is told of: records refused, and a publisher's sequence that does not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from exchange.bus import metrics
from exchange.bus.letters.letter import Refusal
from exchange.envelope import Event
from exchange.trust import Directory

_LOG = structlog.get_logger(__name__)


class Alarms:
    """The counters and log lines of one subscriber."""

    def __init__(self, directory: Callable[[], Directory]) -> None:
        self._directory = directory

    def hole(self, event: Event) -> None:
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
            sequence=event.sequence,
        )

    def refused(self, refused: Sequence[Refusal]) -> None:
        """Each refusal, by its code and its place."""
        for each in refused:
            metrics.REFUSED.labels(each.record.topic, each.error.code).inc()
            _LOG.warning(
                "record refused",
                topic=each.record.topic,
                partition=each.record.partition,
                offset=each.record.offset,
                code=each.error.code,
            )
