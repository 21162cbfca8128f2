"""What a walk over a whole topic found: refused records, sequences, publishers, seals and the keys that made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exchange.cli.topic_sequences import Chain, Finding
from exchange.clock import format_millis
from exchange.envelope import Event, Record, Statement
from exchange.errors import RecordRefused, SealMalformed
from exchange.ids import AgencyId
from exchange.merkle import note_key_id
from exchange.trust import Directory, Key, key_id

SHOWN = 100
"""Of how many things that are wrong the places are told; all are counted."""


@dataclass(slots=True)
class _Part:
    """One publisher in one partition."""

    chain: Chain = field(default_factory=Chain)
    records: int = 0
    tombstones: int = 0
    first: tuple[int, int] | None = None
    last: tuple[int, int] = (0, 0)
    wrong: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _KeyUse:
    """One key of one agency: what it sealed, when first and last."""

    key: Key
    records: int = 0
    seals: int = 0
    first: datetime | None = None
    last: datetime | None = None


class Ledger:
    """Takes in one record after the other; `compacted` topics have gaps by nature."""

    def __init__(self, topic: str, directory: Directory, *, compacted: bool) -> None:
        self._topic = topic
        self._directory = directory
        self._compacted = compacted
        self._parts: dict[tuple[int, str], _Part] = {}
        self._keys: dict[tuple[AgencyId, str], _KeyUse] = {}
        self._seals: dict[tuple[str, int, int], bytes] = {}
        self._refused: Counter[tuple[int, str]] = Counter()
        self._counts: Counter[str] = Counter()
        self._problems: list[dict[str, Any]] = []

    @property
    def is_good(self) -> bool:
        """Whether everything verified, every number is there once, and no flush was sealed twice."""
        wrong = self._counts["refused"] + self._counts["replay"] + self._counts["fork"] + self._counts["resealed"]
        return not wrong and (self._compacted or not self._counts["gap"])

    def take_event(self, event: Event, statement: Statement | None) -> None:
        """An event that verified, and the statement that vouches for it."""
        self._counts["verified"] += 1
        self._counts["tombstones"] += event.data is None
        part = self._parts.setdefault((event.partition, event.publisher), _Part())
        part.records += 1
        part.tombstones += event.data is None
        part.first = part.first or (event.epoch, event.sequence)
        part.last = max(part.last, (event.epoch, event.sequence))
        if statement is not None:
            self._take_statement(statement, event.partition, event.offset)
        finding = part.chain.observe(event)
        if finding is not None:
            self._take_finding(finding, part)

    def take_other(self, record: Record, statement: Statement | None) -> None:
        """A record that verified and is no event: nobody numbers those."""
        self._counts["verified"] += 1
        self._counts["tombstones"] += record.value is None
        if statement is not None:
            part = self._parts.setdefault((record.partition, statement.origin), _Part())
            part.records += 1
            part.tombstones += record.value is None
            self._take_statement(statement, record.partition, record.offset)

    def take_refused(self, record: Record, error: RecordRefused) -> None:
        """A record that did not verify."""
        self._refuse(record.partition, record.offset, error)

    def take_unreadable(self, partition: int, offset: int) -> None:
        """A record that no client can decode."""
        self._refuse(partition, offset, SealMalformed("no client can decode the record"))

    def report(self) -> dict[str, Any]:
        """All of it, as data."""
        counts = self._counts
        return {
            "topic": self._topic,
            "good": self.is_good,
            "records": counts["verified"] + counts["refused"],
            "verified": counts["verified"],
            "tombstones": counts["tombstones"],
            "refused": counts["refused"],
            "refused_by_step": [
                {"step": step, "code": code, "records": records}
                for (step, code), records in sorted(self._refused.items())
            ],
            "seals": len(self._seals),
            "gaps": counts["gap"],
            "missing": counts["missing"],
            "replays": counts["replay"],
            "forks": counts["fork"],
            "resealed": counts["resealed"],
            "compacted": self._compacted,
            "publishers": list(self._publisher_rows()),
            "keys": list(self._key_rows()),
            "problems": self._problems,
        }

    def _refuse(self, partition: int, offset: int, error: RecordRefused) -> None:
        self._counts["refused"] += 1
        self._refused[error.step, error.code] += 1
        self._tell(partition, offset, code=error.code, step=error.step, reason=error.message)

    def _take_statement(self, statement: Statement, partition: int, offset: int) -> None:
        flush = (statement.origin, statement.epoch, statement.flush)
        is_new = flush not in self._seals
        if self._seals.setdefault(flush, statement.root[:8]) != statement.root[:8]:
            self._counts["resealed"] += 1
            named = f"flush {statement.flush} of epoch {statement.epoch} of {statement.origin}"
            reason = f"{named} was sealed before, with another root"
            self._tell(partition, offset, code="flush_sealed_twice", step=6, reason=reason)
        use = self._key_use(statement)
        if use is not None:
            use.records += 1
            use.seals += is_new
            use.first = min(use.first or statement.time, statement.time)
            use.last = max(use.last or statement.time, statement.time)

    def _key_use(self, statement: Statement) -> _KeyUse | None:
        agency = self._directory.agency(statement.publisher.agency)
        for key in agency.keys if agency else ():
            if note_key_id(statement.origin, key.public.raw) == statement.key_id:
                return self._keys.setdefault((statement.publisher.agency, key.public.text), _KeyUse(key))
        return None

    def _take_finding(self, finding: Finding, part: _Part) -> None:
        self._counts[finding.kind] += 1
        self._counts["missing"] += finding.missing
        part.wrong[finding.kind] += 1
        part.wrong["missing"] += finding.missing
        if finding.kind == "gap" and self._compacted:
            return
        what = f"sequence {finding.sequence} of epoch {finding.epoch} of {finding.publisher}"
        reason = {
            "gap": f"before {what} {finding.missing} are missing",
            "replay": f"{what} comes again",
            "fork": f"{what} is another record than the one before with that number",
        }[finding.kind]
        self._tell(finding.partition, finding.offset, code=f"sequence_{finding.kind}", step=9, reason=reason)

    def _tell(self, partition: int, offset: int, *, code: str, step: int, reason: str) -> None:
        if len(self._problems) < SHOWN:
            self._problems.append(
                {"partition": partition, "offset": offset, "code": code, "step": step, "reason": reason}
            )

    def _publisher_rows(self) -> Iterator[dict[str, Any]]:
        for (partition, publisher), part in sorted(self._parts.items()):
            first, last = part.first or (None, None), part.last if part.first else (None, None)
            yield {
                "partition": partition,
                "publisher": publisher,
                "records": part.records,
                "tombstones": part.tombstones,
                "epochs": f"{first[0]} to {last[0]}" if part.first else None,
                "first": first[1],
                "last": last[1],
                "missing": part.wrong["missing"],
                "replays": part.wrong["replay"],
                "forks": part.wrong["fork"],
            }

    def _key_rows(self) -> Iterator[dict[str, Any]]:
        for (agency, _), use in sorted(self._keys.items(), key=lambda each: (str(each[0][0]), each[1].key.not_before)):
            yield {
                "keyid": key_id(agency, use.key.public),
                "records": use.records,
                "seals": use.seals,
                "first": format_millis(use.first) if use.first else None,
                "last": format_millis(use.last) if use.last else None,
                "valid_from": format_millis(use.key.not_before),
                "valid_until": format_millis(use.key.not_after),
            }
