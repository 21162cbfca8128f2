"""Identifiers (spec 1)."""

import base64
import hashlib
import hmac
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import IdentifierError
from exchange.ids import AgencyId, Identifier, PublisherId, ServiceId, Topic, uuid7

NAMES = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.sampled_from(["GOV", "MUN", "COM", "NGO"]), NAMES, st.none() | NAMES)
def test_an_agency_reads_back_as_it_was_written(klass, member, subsystem):
    """Text and value of an agency are one-to-one."""
    agency = AgencyId("UZ", klass, member, subsystem)
    assert AgencyId.parse(str(agency)) == agency


@pytest.mark.parametrize(
    "text",
    [
        "",
        "UZ",
        "UZ/GOV",
        "uz/GOV/interior",
        "UZ/ARMY/interior",
        "UZ/GOV/Interior",
        "UZ/GOV/-interior",
        "UZ/GOV/interior-",
        "UZ/GOV/interior/",
        "UZ/GOV/interior/civil/extra",
        "UZ/GOV/interior/civil\n",
        "UZ/GOV/" + "a" * 64,
        "U/GOV/interior",
        "UZ/GOV/ichki_ishlar",
    ],
)
def test_a_malformed_agency_is_refused_with_an_example(text):
    """Whatever is not INSTANCE/CLASS/MEMBER[/SUBSYSTEM] is refused, and the message shows a right one."""
    with pytest.raises(IdentifierError, match="UZ/GOV/interior/civil"):
        AgencyId.parse(text)


def test_an_agency_knows_its_member_its_topics_and_its_dead_letters():
    """The names that follow from an agency are derived, never configured."""
    agency = AgencyId.parse("UZ/GOV/interior/civil")
    assert str(agency.member_id) == "UZ/GOV/interior"
    assert agency.topic_prefix == "gov.interior.civil."
    assert agency.dead_letter_topic == "gov.interior.civil.dead-letters"
    assert agency.redelivery_topic == "gov.interior.civil.redeliveries"
    assert agency.retry_topics == tuple(f"gov.interior.civil.retries-{delay}" for delay in ("10s", "1m", "10m"))
    assert set(agency.own_topics) == {agency.dead_letter_topic, agency.redelivery_topic, *agency.retry_topics}


@pytest.mark.parametrize("kind", [ServiceId, PublisherId])
def test_services_and_publishers_belong_to_a_subsystem(kind):
    """A service or publisher is a name under a subsystem, never under a bare member."""
    named = kind.parse("UZ/GOV/tax/registry/tax-standing")
    assert str(named.agency) == "UZ/GOV/tax/registry"
    assert named.name == "tax-standing"
    assert str(named) == "UZ/GOV/tax/registry/tax-standing"
    for wrong in ("UZ/GOV/tax/registry", "UZ/GOV/tax/registry/", "UZ/GOV/tax/registry/a/b", "tax-standing"):
        with pytest.raises(IdentifierError):
            kind.parse(wrong)


def test_a_topic_names_its_owner_its_event_and_its_version():
    """The parts of a topic's name give type, subject and owner."""
    topic = Topic.parse("gov.interior.civil.residence-changed.v1")
    assert topic.event_type == "gov.interior.civil.residence-changed"
    assert topic.value_subject == "gov.interior.civil.residence-changed.v1-value"
    assert topic.owned_by(AgencyId.parse("UZ/GOV/interior/civil"))
    assert not topic.owned_by(AgencyId.parse("UZ/GOV/interior/civil2"))
    assert str(topic) == "gov.interior.civil.residence-changed.v1"


@pytest.mark.parametrize(
    "text",
    [
        "gov.interior.civil.moved",
        "gov.interior.civil.moved.v0",
        "GOV.interior.civil.moved.v1",
        "gov.a.b.v1",
        "_schemas",
    ],
)
def test_a_malformed_topic_is_refused_with_an_example(text):
    """Whatever is not <class>.<member>.<subsystem>.<event>.v<major> is refused."""
    with pytest.raises(IdentifierError, match=r"residence-changed\.v1"):
        Topic.parse(text)


def test_a_pseudonym_is_the_formats_own():
    """A pseudonym is base32 of 16 bytes of HMAC-SHA-256 over scheme, NUL and value."""
    digest = hmac.new(b"pepper", b"uz-pinfl\x0031234567890123", hashlib.sha256).digest()
    expected = base64.b32encode(digest[:16]).decode().rstrip("=").lower()
    assert Identifier("uz-pinfl", "31234567890123").pseudonym(b"pepper") == expected
    assert len(expected) == 26


def test_a_pseudonym_depends_on_pepper_scheme_and_value():
    """Nobody without the pepper can tell whose pseudonym it is, and schemes do not collide."""
    one = Identifier("uz-pinfl", "1")
    assert len({one.pseudonym(b"a"), one.pseudonym(b"b"), Identifier("uz-tin", "1").pseudonym(b"a")}) == 3


def test_an_identifier_does_not_show_its_value():
    """A person's number does not reach a log by way of repr."""
    assert "31234567890123" not in repr(Identifier("uz-pinfl", "31234567890123"))


@pytest.mark.parametrize(
    ("scheme", "value"), [("pinfl", "1"), ("uz-pinfl", ""), ("uz-pinfl", "1\x00"), ("uz-tin", "9" * 129)]
)
def test_a_malformed_identifier_is_refused(scheme, value):
    """An identifier needs a known form of scheme and a value that fits."""
    with pytest.raises(IdentifierError):
        Identifier(scheme, value)


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_uuid7_carries_its_time_and_version(millis, random):
    """A UUIDv7 is a canonical RFC 9562 UUID of version 7 whose first 48 bits are its time."""
    parsed = uuid.UUID(text := uuid7(millis, random))
    assert str(parsed) == text
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    assert parsed.int >> 80 == millis


def test_two_uuid7_differ():
    """Fresh ids do not repeat."""
    assert len({uuid7() for _ in range(1000)}) == 1000
