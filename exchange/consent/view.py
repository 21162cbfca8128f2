"""The consents as this process knows them: the consent topic, verified and held in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from exchange.consent.document import StoredConsent, open_consent
from exchange.consent.metrics import DOCUMENTS_REFUSED
from exchange.consent.ports import TopicDocument
from exchange.consent.record import ConsentKey
from exchange.errors import DocumentInvalid
from exchange.trust import Directory

log = structlog.get_logger()


class VerifiedConsents:
    """A ConsentView over a topic. `current_at` says up to when everything on the topic was read.

    A document that does not verify, or that is older than what is known, is left out: with a warning and a metric.
    """

    def __init__(
        self,
        directory: Callable[[], Directory],
        current_at: Callable[[], datetime | None],
        stale_after: timedelta = timedelta(seconds=5),
    ) -> None:
        self._directory = directory
        self._current_at = current_at
        self._stale_after = stale_after
        self._consents: dict[str, StoredConsent] = {}

    def __len__(self) -> int:
        return len(self._consents)

    def apply(self, document: TopicDocument) -> None:
        """Take one record of the topic, in the topic's order."""
        try:
            self._apply(document)
        except DocumentInvalid as error:
            DOCUMENTS_REFUSED.labels(error.code).inc()
            log.warning("consent_document_refused", key=document.key[:64], code=error.code, reason=error.message)

    def find(self, key: ConsentKey) -> StoredConsent | None:
        """The consent under `key`, or None."""
        return self._consents.get(key.text)

    def age(self, now: datetime) -> timedelta | None:
        """How long ago everything on the topic was known; None before the first time."""
        current = self._current_at()
        return None if current is None else max(timedelta(0), now - current)

    def is_stale(self, now: datetime) -> bool:
        """Whether that is longer ago than allowed: a withdrawal could have been missed."""
        age = self.age(now)
        return age is None or age > self._stale_after

    def _apply(self, document: TopicDocument) -> None:
        if document.envelope is None:
            # A tombstone carries no signature, so it proves nothing: what was signed stays in force.
            raise DocumentInvalid("the consent was deleted without a signature", code="consent_unsigned")
        found = open_consent(document.key, document.envelope, document.written, self._directory())
        known = self._consents.get(document.key)
        if known is not None and found.record.revision < known.record.revision:
            raise DocumentInvalid(
                f"revision {found.record.revision} was written after revision {known.record.revision}",
                code="consent_replayed",
            )
        self._consents[document.key] = found
