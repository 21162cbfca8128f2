"""The consent record as a signed document."""

from __future__ import annotations

import base64
from datetime import timedelta

import msgspec
import pytest

from exchange.consent import (
    State,
    Terms,
    change_state,
    consent_content,
    give_consent,
    open_consent,
    parse_consent,
    sign_consent,
)
from exchange.errors import DocumentInvalid
from exchange.trust import SigningKey
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX, FakeInstance
from tests.fakes.moving_clock import NOON


@pytest.fixture
def record(terms: Terms):
    """A consent given at noon."""
    return give_consent(terms, PROCUREMENT, NOON, "0190c0de-0000-7000-8000-000000000001", None)


def test_what_a_gateway_signs_opens_again(record, instance):
    """Sign and open are inverse, and both name the document by the same digest."""
    envelope, signed = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    opened = open_consent(record.key.text, envelope, NOON, instance.directory())
    assert opened == signed
    assert opened.record == record


def test_what_is_signed_while_a_key_is_rotated_opens(record, instance):
    """The document names the key that signed it, whichever of two that was."""
    signer = instance.rotating(GATEWAY).signer
    for _ in range(2):
        envelope, signed = sign_consent(record, GATEWAY, signer)
        assert open_consent(record.key.text, envelope, NOON, instance.directory()) == signed


def test_the_document_has_the_fields_of_the_standard(record):
    """ISO/IEC TS 27560's header, processing, parties and event are there, the individual only as a pseudonym."""
    content = consent_content(record)
    assert content["schema_version"] == "exchange-consent-1"
    assert content["individual"] == "a" * 26
    assert content["controller"] == "UZ/GOV/procurement/tenders"
    assert content["provider"] == "UZ/GOV/tax/registry"
    assert content["state"] == "given"
    assert content["state_history"] == [
        {"state": "given", "at": "2026-11-22T12:00:00.000000Z", "through": "UZ/GOV/procurement/tenders"}
    ]


def test_a_changed_record_opens_again(record, instance):
    """A history of several states survives the document."""
    paused = change_state(record, State.PAUSED, GATEWAY, NOON + timedelta(seconds=1))
    envelope, _ = sign_consent(paused, GATEWAY, instance.keys[GATEWAY])
    assert open_consent(record.key.text, envelope, NOON, instance.directory()).record == paused


def test_only_a_gateways_signature_counts(record, instance):
    """A document signed by an agency that runs no gateway is refused."""
    envelope, _ = sign_consent(record, TAX, instance.keys[TAX])
    with pytest.raises(DocumentInvalid, match="0 good signature"):
        open_consent(record.key.text, envelope, NOON, instance.directory())


@pytest.mark.parametrize("agency", ["UZ/GOV/nobody/there", "not an agency"])
def test_a_key_of_nobody_is_refused(record, instance, agency):
    """A key id that names an unknown agency, or none, is refused."""
    envelope, _ = sign_consent(record, agency, SigningKey.generate())
    with pytest.raises(DocumentInvalid):
        open_consent(record.key.text, envelope, NOON, instance.directory())


def test_a_gateway_signs_only_with_keys_of_the_directory(record, instance):
    """A key that the directory does not have is refused, whatever it calls itself."""
    envelope, _ = sign_consent(record, GATEWAY, SigningKey.generate())
    with pytest.raises(DocumentInvalid):
        open_consent(record.key.text, envelope, NOON, instance.directory())


def test_a_suspended_gateways_documents_are_refused(record, instance: FakeInstance):
    """Suspending the gateway's member ends what it can write."""
    envelope, _ = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    instance.edit(lambda content: instance.member(content, GATEWAY).update(status="suspended"))
    with pytest.raises(DocumentInvalid):
        open_consent(record.key.text, envelope, NOON, instance.directory())


def test_a_key_signs_only_while_it_is_valid(terms, instance):
    """The broker's time decides: a key that ended before the document was written does not count."""
    late = NOON + timedelta(days=31)
    terms = Terms(terms.key, terms.provider, terms.fields, "uz", "0" * 64, late + timedelta(days=1))
    record = give_consent(terms, PROCUREMENT, late, "id-1", None)
    envelope, _ = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    with pytest.raises(DocumentInvalid):
        open_consent(record.key.text, envelope, late, instance.directory())


@pytest.mark.parametrize("minutes", [11, -11])
def test_an_old_document_cannot_be_written_again(record, instance, minutes):
    """A document whose change is further than 10 minutes from the broker's time is refused."""
    envelope, _ = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    with pytest.raises(DocumentInvalid, match="after its change"):
        open_consent(record.key.text, envelope, NOON + timedelta(minutes=minutes), instance.directory())


def test_a_document_counts_only_under_its_own_key(record, instance):
    """A consent moved under another individual's key is refused."""
    envelope, _ = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    with pytest.raises(DocumentInvalid, match="another key"):
        open_consent("0" * 64, envelope, NOON, instance.directory())


def test_a_changed_byte_breaks_the_signature(record, instance):
    """A field added to a signed document is refused."""
    envelope, _ = sign_consent(record, GATEWAY, instance.keys[GATEWAY])
    outer = msgspec.json.decode(envelope)
    payload = base64.b64decode(outer["payload"]).replace(b'["standing"]', b'["debt_uzs"]')
    outer["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(DocumentInvalid):
        open_consent(record.key.text, msgspec.json.encode(outer), NOON, instance.directory())


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": "exchange-consent-2"},
        {"state": "withdrawn"},
        {"state": "unheard-of"},
        {"state_history": []},
        {"state_history": [{"state": "paused", "at": "2026-11-22T12:00:00.000000Z", "through": "UZ/GOV/tax/registry"}]},
        {"given_at": "2026-11-22T13:00:00.000000Z"},
        {"given_at": "noon"},
        {"valid_until": "2026-11-23T12:00:00Z"},
        {"fields": ["standing", "standing"]},
        {"controller": "nobody"},
        {"surprise": 1},
        {"revision": "1"},
    ],
)
def test_a_record_that_contradicts_itself_is_refused(record, change):
    """The parser takes exactly what the writer writes: one spelling, and nothing said twice differently."""
    with pytest.raises(DocumentInvalid):
        parse_consent(msgspec.json.encode({**consent_content(record), **change}))


@pytest.mark.parametrize("payload", [b"", b"null", b"\xff\xfe", b"[1]", b'{"state":'])
def test_random_bytes_are_refused(payload):
    """What is not a record at all is refused with the same error."""
    with pytest.raises(DocumentInvalid):
        parse_consent(payload)
