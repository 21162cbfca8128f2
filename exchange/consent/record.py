"""The consent record (spec 7): the fields of ISO/IEC TS 27560, named so that each has its DPV term.

    record             ISO/IEC TS 27560      DPV
    schema_version     schema_version        dct:conformsTo
    record_id          record_id             dct:identifier
    individual         pii_principal_id      dpv:hasDataSubject          a pseudonym (spec 1)
    controller         pii_controllers       dpv:hasDataController       the consumer
    provider           pii_source            dpv:hasDataSource
    target             service               dpv:hasService              a service or a topic
    purpose            purpose               dpv:hasPurpose
    fields             pii_type              dpv:hasPersonalData
    given_through      entity_id             dpv:isIndicatedBy           the agency that recorded it
    language           language              dct:language
    notice_digest      privacy_notice        dpv:hasNotice               SHA-256 of the notice's text, hexadecimal
    given_at           event_time            dpv:isIndicatedAtTime
    valid_until        validity_duration     dpv:hasDuration
    state              event_state           dpv:hasConsentStatus
    state_history      events                dpv:hasConsentStatus, each with its time

States: given ⇄ paused; given or paused → withdrawn. Time alone makes given or paused into expired: nothing is
written then. Withdrawn and expired are final for a record; giving consent anew makes a new record.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import rfc8785

from exchange.errors import ConsentError
from exchange.ids import AgencyId

SCHEMA_VERSION = "exchange-consent-1"
HISTORY_LIMIT = 64
"""State changes a record carries, newest kept; the audit log has all of them."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class State(StrEnum):
    """Where a consent stands."""

    GIVEN = "given"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.GIVEN: frozenset({State.PAUSED, State.WITHDRAWN}),
    State.PAUSED: frozenset({State.GIVEN, State.WITHDRAWN}),
    State.WITHDRAWN: frozenset(),
    State.EXPIRED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ConsentKey:
    """What a consent is about; there is one record a key. `individual` is a pseudonym, `target` a service or topic."""

    individual: str
    consumer: AgencyId
    target: str
    purpose: str

    @property
    def text(self) -> str:
        """The key on the consent topic: SHA-256, hexadecimal, of the four parts as an RFC 8785 array."""
        parts = [self.individual, str(self.consumer), self.target, self.purpose]
        return hashlib.sha256(rfc8785.dumps(parts)).hexdigest()


@dataclass(frozen=True, slots=True)
class StateChange:
    """When a consent came into a state, and the agency that recorded it."""

    state: State
    at: datetime
    through: AgencyId


@dataclass(frozen=True, slots=True)
class Terms:
    """What an individual agrees to."""

    key: ConsentKey
    provider: AgencyId
    fields: frozenset[str]
    language: str
    notice_digest: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One consent, its terms and its states so far. `revision` counts every change made under its key."""

    record_id: str
    revision: int
    terms: Terms
    history: tuple[StateChange, ...]

    @property
    def key(self) -> ConsentKey:
        """What it is about."""
        return self.terms.key

    @property
    def given_at(self) -> datetime:
        """When this record's terms were agreed to."""
        return next(change.at for change in self.history if change.state is State.GIVEN)

    @property
    def given_through(self) -> AgencyId:
        """The agency that recorded it."""
        return next(change.through for change in self.history if change.state is State.GIVEN)

    @property
    def changed_at(self) -> datetime:
        """When its latest state began."""
        return self.history[-1].at

    def state_at(self, now: datetime) -> State:
        """Its state: the recorded one, or expired where its validity ended while it was given or paused."""
        recorded = self.history[-1].state
        if recorded is not State.WITHDRAWN and now >= self.terms.valid_until:
            return State.EXPIRED
        return recorded


def give_consent(
    terms: Terms, through: AgencyId, now: datetime, record_id: str, previous: ConsentRecord | None
) -> ConsentRecord:
    """A new record for `terms`, after `previous` under the same key; raises ConsentError."""
    _verify_terms(terms, now)
    revision = 1 if previous is None else previous.revision + 1
    return ConsentRecord(record_id, revision, terms, (StateChange(State.GIVEN, now, through),))


def change_state(record: ConsentRecord, state: State, through: AgencyId, now: datetime) -> ConsentRecord:
    """The record in its next state; raises ConsentError where its present state does not lead there."""
    present = record.state_at(now)
    if state not in TRANSITIONS[present]:
        raise ConsentError(
            f"a consent that is {present} cannot become {state}: {_remedy(present)}", code="consent_transition_illegal"
        )
    history = (*record.history, StateChange(state, now, through))
    return replace(record, revision=record.revision + 1, history=_bounded(history))


def _bounded(history: tuple[StateChange, ...]) -> tuple[StateChange, ...]:
    """The first change (it says when and through whom consent was given) and the newest ones."""
    return history if len(history) <= HISTORY_LIMIT else (history[0], *history[-HISTORY_LIMIT + 1 :])


def _remedy(state: State) -> str:
    allowed = sorted(TRANSITIONS[state])
    return f"it can become {' or '.join(allowed)}" if allowed else "consent has to be given anew"


def _verify_terms(terms: Terms, now: datetime) -> None:
    if not terms.fields:
        raise _wrong("fields", "consent needs at least one field")
    if terms.valid_until <= now:
        raise _wrong("valid_until", f"{terms.valid_until.isoformat()} is past already")
    if _LANGUAGE.fullmatch(terms.language) is None:
        raise _wrong("language", "expected a BCP 47 tag, e.g. uz, uz-Latn or ru")
    if _DIGEST.fullmatch(terms.notice_digest) is None:
        raise _wrong("notice_digest", "expected the notice's SHA-256 as 64 lower-case hexadecimal digits")


def _wrong(name: str, message: str) -> ConsentError:
    return ConsentError(f"{name}: {message}", code="consent_invalid")


def sorted_fields(fields: Iterable[str]) -> list[str]:
    """Fields in the one order in which documents, grants and audit entries write them."""
    return sorted(set(fields))
