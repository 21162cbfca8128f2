"""Changes of consents: witnessed, written, read back; and what the view leaves out."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from exchange.consent import (
    Change,
    ConsentLedger,
    State,
    TopicDocument,
    VerifiedConsents,
    change_state,
    give_consent,
    sign_consent,
)
from exchange.errors import AuditError, BrokerUnreachable, ConsentError
from tests.fakes.consent_topic import MemoryConsentTopic
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX

CHANGE = Change(PROCUREMENT, "0190c0de-0000-7000-8000-000000000002")


class ListWitness:
    """Remembers what it was told, and can refuse."""

    def __init__(self, topic: MemoryConsentTopic) -> None:
        self.told = []
        self.refuses = False
        self._topic = topic

    async def witness(self, change):
        """A receipt with the number of documents that were written before."""
        if self.refuses:
            raise AuditError("not durable", code="audit_unavailable")
        await asyncio.sleep(0)
        self.told.append((change, len(self._topic.documents)))
        return {"written before": len(self._topic.documents)}


class Parts:
    """A ledger over the topic in memory."""

    def __init__(self, instance, clock) -> None:
        self.view = VerifiedConsents(instance.directory, lambda: self.topic.current_at())
        self.topic = MemoryConsentTopic(self.view.apply, clock)
        self.witness = ListWitness(self.topic)
        ids = (f"id-{number}" for number in itertools.count(1))
        self.ledger = ConsentLedger(
            GATEWAY, instance.keys[GATEWAY], self.view, self.topic, self.witness, clock, lambda: next(ids)
        )


@pytest.fixture
def parts(instance, clock) -> Parts:
    """The parts of a ledger."""
    return Parts(instance, clock)


def refused(code: str) -> float:
    """How many documents the view refused by that code."""
    return REGISTRY.get_sample_value("exchange_consent_documents_refused_total", {"code": code}) or 0.0


async def test_what_is_given_is_shown(parts, terms):
    """A consent that was answered is in the view, signed on the topic, and has its receipt."""
    given = await parts.ledger.give(terms, CHANGE)
    assert parts.ledger.show(terms.key) == given.consent
    assert given.consent.record.given_through == PROCUREMENT
    assert given.receipt == {"written before": 0}
    assert [document.key for document in parts.topic.documents] == [terms.key.text]


async def test_pause_resume_withdraw(parts, terms, clock):
    """Each change is a new signed document with one more state in its history."""
    await parts.ledger.give(terms, CHANGE)
    for change in (parts.ledger.pause, parts.ledger.resume, parts.ledger.withdraw):
        clock.move(seconds=1)
        changed = await change(terms.key, CHANGE)
    states = [each.state for each in changed.consent.record.history]
    assert states == [State.GIVEN, State.PAUSED, State.GIVEN, State.WITHDRAWN]
    assert changed.consent.record.revision == 4
    assert len(parts.topic.documents) == 4


async def test_the_state_that_is_there_already_changes_nothing(parts, terms):
    """Who got no answer may ask again: a consent withdrawn twice is withdrawn once."""
    await parts.ledger.give(terms, CHANGE)
    first = await parts.ledger.withdraw(terms.key, CHANGE)
    again = await parts.ledger.withdraw(terms.key, CHANGE)
    assert again.consent == first.consent
    assert again.receipt is None
    assert len(parts.topic.documents) == len(parts.witness.told) == 2


@pytest.mark.parametrize("change", ["pause", "resume", "withdraw"])
async def test_a_consent_that_never_was_cannot_change(parts, terms, change):
    """Changing what is not there says so."""
    with pytest.raises(ConsentError) as caught:
        await getattr(parts.ledger, change)(terms.key, CHANGE)
    assert caught.value.code == "consent_not_found"


async def test_an_expired_consent_has_to_be_given_anew(parts, terms, clock):
    """After its validity a consent cannot be resumed; giving it anew makes a new record."""
    first = await parts.ledger.give(terms, CHANGE)
    clock.move(days=1)
    with pytest.raises(ConsentError, match="given anew"):
        await parts.ledger.resume(terms.key, CHANGE)
    with pytest.raises(ConsentError, match="valid_until"):
        await parts.ledger.give(terms, CHANGE)
    assert parts.ledger.show(terms.key) == first.consent


async def test_no_change_without_a_trace(parts, terms):
    """Where the witness cannot leave its trace, nothing is written."""
    parts.witness.refuses = True
    with pytest.raises(AuditError):
        await parts.ledger.give(terms, CHANGE)
    assert parts.topic.documents == []
    assert parts.view.find(terms.key) is None


async def test_the_trace_names_the_document_that_is_written(parts, terms, instance):
    """The witness is told the digest of the very document that goes onto the topic."""
    given = await parts.ledger.give(terms, CHANGE)
    (change, _) = parts.witness.told[0]
    assert change.consent.digest == given.consent.digest
    assert (change.by, change.transaction_id) == (PROCUREMENT, CHANGE.transaction_id)


async def test_a_topic_that_is_down_answers_an_error(parts, terms):
    """A change that could not be written is not answered as made."""
    parts.topic.is_down = True
    with pytest.raises(BrokerUnreachable):
        await parts.ledger.give(terms, CHANGE)
    assert parts.view.find(terms.key) is None


async def test_changes_of_one_consent_happen_one_after_another(parts, terms):
    """Of many changes at once each builds on the one before: no revision is taken twice."""
    await parts.ledger.give(terms, CHANGE)
    await asyncio.gather(*(parts.ledger.give(terms, CHANGE) for _ in range(5)))
    assert parts.ledger.show(terms.key).record.revision == 6
    assert len(parts.topic.documents) == 6


async def test_a_write_that_another_gateway_overtook_is_a_conflict(parts, terms, instance, clock):
    """What is read back must be what was written; else the caller is told to ask again."""
    write = parts.topic.write

    async def overtaken(key, envelope):
        await write(key, envelope)
        known = parts.view.find(terms.key).record
        other, _ = sign_consent(
            change_state(known, State.WITHDRAWN, GATEWAY, clock.now()), GATEWAY, instance.keys[GATEWAY]
        )
        await write(key, other)

    parts.topic.write = overtaken
    with pytest.raises(ConsentError) as caught:
        await parts.ledger.give(terms, CHANGE)
    assert caught.value.code == "consent_conflict"
    assert parts.ledger.show(terms.key).record.state_at(clock.now()) is State.WITHDRAWN


async def test_a_new_view_knows_what_the_old_one_knew(parts, terms, instance, clock):
    """The topic alone tells all: a view that reads it from the beginning is the same."""
    await parts.ledger.give(terms, CHANGE)
    await parts.ledger.pause(terms.key, CHANGE)
    anew = VerifiedConsents(instance.directory, clock.now)
    for document in parts.topic.documents:
        anew.apply(document)
    assert anew.find(terms.key) == parts.view.find(terms.key)
    assert len(anew) == 1


async def test_a_document_that_does_not_verify_is_left_out(parts, terms, instance, clock):
    """A forged consent gives nothing, and is counted."""
    forged = give_consent(terms, TAX, clock.now(), "id-x", None)
    before = refused("document_invalid")
    await parts.topic.write(terms.key.text, sign_consent(forged, TAX, instance.keys[TAX])[0])
    await parts.topic.write(terms.key.text, b"\x00 random bytes")
    assert parts.view.find(terms.key) is None
    assert refused("document_invalid") == before + 2


async def test_a_withdrawal_cannot_be_undone_by_writing_the_old_document_again(parts, terms):
    """A document older than the known one is a replay: left out, and counted."""
    await parts.ledger.give(terms, CHANGE)
    await parts.ledger.withdraw(terms.key, CHANGE)
    before = refused("consent_replayed")
    await parts.topic.write(terms.key.text, parts.topic.documents[0].envelope)
    assert parts.ledger.show(terms.key).record.history[-1].state is State.WITHDRAWN
    assert refused("consent_replayed") == before + 1


async def test_a_deletion_without_a_signature_changes_nothing(parts, terms, clock):
    """A tombstone proves nothing about who wrote it."""
    await parts.ledger.give(terms, CHANGE)
    parts.view.apply(TopicDocument(terms.key.text, None, clock.now()))
    assert parts.view.find(terms.key) is not None


async def test_a_view_is_stale_when_the_topic_falls_silent(parts, clock):
    """Not knowing for longer than allowed is being stale, and so is never having known."""
    assert not parts.view.is_stale(clock.now())
    parts.topic.is_down = True
    clock.move(seconds=5)
    assert not parts.view.is_stale(clock.now())
    clock.move(microseconds=1)
    assert parts.view.is_stale(clock.now())
    assert parts.view.age(clock.now()) == timedelta(seconds=5, microseconds=1)


def test_a_view_that_never_caught_up_is_stale(instance, clock):
    """Before the first time that everything was read, nothing is known."""
    view = VerifiedConsents(instance.directory, lambda: None)
    assert view.is_stale(clock.now())
    assert view.age(clock.now()) is None
