"""Consents and counters as a decision reads them, set by the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from exchange.consent import AccessRequest, ConsentKey, StoredConsent


@dataclass
class SetConsents:
    """A ConsentView of what a test puts in."""

    consents: dict[ConsentKey, StoredConsent] = field(default_factory=dict)
    stale: bool = False

    def find(self, key: ConsentKey) -> StoredConsent | None:
        """What was put in."""
        return self.consents.get(key)

    def is_stale(self, now: datetime) -> bool:
        """As set."""
        return self.stale


@dataclass
class SetCounters:
    """Counters that show what a test says."""

    individual: int = 0
    consumer: int = 0

    def of_individual(self, request: AccessRequest, now: datetime) -> int:
        """As set."""
        return self.individual

    def of_consumer(self, request: AccessRequest, now: datetime) -> int:
        """As set."""
        return self.consumer
