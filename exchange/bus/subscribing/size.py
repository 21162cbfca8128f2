"""How many records a batch may have: as many as were asked for, fewer where records are large: memory is bounded."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.envelope import Record

BATCH_BYTES = 4 * 1024 * 1024
"""About what the values of one batch take; decoded they take several times as much."""

_FIRST = 100
_SAMPLE = 20


class BatchSize:
    """Learns how large records are from those that came last."""

    def __init__(self, most: int, most_bytes: int = BATCH_BYTES) -> None:
        self._most = most
        self._bytes = most_bytes
        self.records = min(most, _FIRST)

    def learn(self, records: Sequence[Record]) -> None:
        """Look at a few of a poll's records, spread over all of them."""
        sample = records[:: max(1, len(records) // _SAMPLE)]
        total = sum(len(record.value or b"") for record in sample)
        if sample:
            self.records = max(1, min(self._most, self._bytes * len(sample) // max(1, total)))
