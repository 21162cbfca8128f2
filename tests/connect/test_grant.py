"""A grant is taken once, from a gateway, for this service and transaction; each other one has its own code."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.grant import UsedGrants, verify_grant
from exchange.errors import RequestRefused
from exchange.gateway.grant import Grant, sign_grant
from exchange.ids import ServiceId
from tests.fakes.instance import GATEWAY, INTERIOR, PROCUREMENT, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON

SERVICE = ServiceId.parse(TAX_STANDING)
TRANSACTION = "019aab00-0000-7000-8000-000000000001"


@pytest.fixture
def instance():
    """An instance with a gateway and a tax registry."""
    return FakeInstance(NOON)


def encode(part):
    """A JWT's part."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(instance, header=(), signer=GATEWAY, signature=None, **claims):
    """A grant as the gateway makes it, with parts replaced; None takes a claim out."""
    credentials = instance.credentials(signer)
    head = {"alg": "EdDSA", "typ": "exchange-grant+jwt", "kid": credentials.keyid, **dict(header)}
    body = {
        "iss": str(GATEWAY),
        "aud": TAX_STANDING,
        "sub": str(PROCUREMENT),
        "jti": TRANSACTION,
        "iat": int(NOON.timestamp()),
        "exp": int(NOON.timestamp()) + 30,
        "authorization_details": [
            {"type": "exchange-lookup", "purpose": "tender-eligibility", "fields": ["standing"], "basis": "consent"}
        ],
        **claims,
    }
    signed = f"{encode(head)}.{encode({name: value for name, value in body.items() if value is not None})}"
    return f"{signed}.{encode(signature or credentials.signer.sign(signed.encode()))}"


def verify(instance, text, now=NOON, sender=GATEWAY, transaction=TRANSACTION):
    """As the tax registry verifies it."""
    return verify_grant(
        text, service=SERVICE, sender=sender, transaction_id=transaction, directory=instance.directory(), now=now
    )


def code_of(refused, *args, **settings):
    """The code of the refusal."""
    with pytest.raises(RequestRefused) as refusal:
        refused(*args, **settings)
    return refusal.value.code


def test_a_gateways_grant_is_taken(instance):
    """As the gateway itself signs it: who may have which fields, for what, on which basis."""
    made = Grant(
        SERVICE, PROCUREMENT, TRANSACTION, "tender-eligibility", frozenset({"standing", "debt_uzs"}), "consent"
    )
    grant = verify(instance, sign_grant(made, instance.credentials(GATEWAY), NOON))
    assert (grant.gateway, grant.consumer, grant.service) == (GATEWAY, PROCUREMENT, SERVICE)
    assert set(grant.fields) == {"standing", "debt_uzs"}
    assert (grant.purpose, grant.basis, grant.transaction_id) == ("tender-eligibility", "consent", TRANSACTION)
    assert grant.expires == NOON + timedelta(seconds=30)


DETAIL = {"type": "exchange-lookup", "purpose": "p", "fields": ["standing"], "basis": "consent"}
NOW = int(NOON.timestamp())
WRONG = [
    ("grant_malformed", {"header": {"alg": "none"}}),
    ("grant_malformed", {"header": {"alg": "HS256"}}),
    ("grant_malformed", {"header": {"typ": "JWT"}}),
    ("grant_malformed", {"header": {"crit": ["x"]}}),
    ("grant_malformed", {"iss": "somebody"}),
    ("grant_malformed", {"iss": None}),
    ("grant_malformed", {"aud": [TAX_STANDING]}),
    ("grant_malformed", {"sub": "nobody"}),
    ("grant_malformed", {"exp": NOW + 300}),
    ("grant_malformed", {"exp": 10**18}),
    ("grant_malformed", {"exp": "soon"}),
    ("grant_malformed", {"authorization_details": [{**DETAIL, "type": "other"}]}),
    ("grant_malformed", {"authorization_details": [{**DETAIL, "more": 1}]}),
    ("grant_issuer_unknown", {"iss": str(PROCUREMENT)}),
    ("grant_key_invalid", {"header": {"kid": f"{GATEWAY}#0000000000000000"}}),
    ("grant_key_invalid", {"signer": INTERIOR}),
    ("grant_signature_invalid", {"signature": b"x" * 64}),
    ("grant_signature_invalid", {"signature": b"short"}),
    ("grant_audience_mismatch", {"aud": "UZ/GOV/interior/civil/residence"}),
    ("grant_expired", {"iat": NOW - 60, "exp": NOW - 30}),
    ("grant_expired", {"exp": NOW}),
    ("grant_not_yet_valid", {"iat": NOW + 31, "exp": NOW + 61}),
    ("grant_not_yet_valid", {"nbf": NOW + 31}),
    ("grant_transaction_mismatch", {"jti": "019aab00-0000-7000-8000-000000000002"}),
    ("grant_details_invalid", {"authorization_details": []}),
    ("grant_details_invalid", {"authorization_details": [DETAIL, DETAIL]}),
    ("grant_details_invalid", {"authorization_details": [{**DETAIL, "fields": []}]}),
    ("grant_details_invalid", {"authorization_details": [{**DETAIL, "basis": ""}]}),
]


@pytest.mark.parametrize(("code", "parts"), WRONG)
def test_each_wrong_grant_is_refused_by_its_own_code(instance, code, parts):
    """Everything else about it is right."""
    assert code_of(verify, instance, token(instance, **parts)) == code


def test_the_issuer_is_who_sent_the_request(instance):
    """Another gateway's grant cannot be passed on."""
    second = {"agency": str(INTERIOR), "url": "http://127.0.0.1:1"}
    instance.edit(lambda content: content["gateways"].append(second))
    assert code_of(verify, instance, token(instance), sender=INTERIOR) == "grant_issuer_mismatch"


def test_a_suspended_gateway_grants_nothing(instance):
    """Its key is no key any more."""
    instance.edit(lambda content: instance.member(content, GATEWAY).update(status="suspended"))
    assert code_of(verify, instance, token(instance)) == "grant_key_invalid"


def test_a_key_past_its_time_grants_nothing(instance):
    """The key must be valid now."""
    later = NOON + timedelta(days=31)
    fresh = {"iat": int(later.timestamp()), "exp": int(later.timestamp()) + 30}
    instance.edit(lambda content: content.update(expires="2030-01-01T00:00:00Z"))
    assert code_of(verify, instance, token(instance, **fresh), now=later) == "grant_key_invalid"


def test_a_clock_a_little_behind_is_borne_with(instance):
    """As with the request's own signature."""
    assert verify(instance, token(instance), now=NOON - timedelta(seconds=29))


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "a.b.c.d", "..", "é.é.é", "x" * 20_000])
def test_what_is_no_token_is_malformed(instance, text):
    """Whatever it is."""
    assert code_of(verify, instance, text) == "grant_malformed"


def test_one_grant_has_one_text(instance):
    """Padding, or other last bits of base64, are not the same grant written differently."""
    good = token(instance)
    assert code_of(verify, instance, good + "=") == "grant_malformed"
    last = good[-1]
    others = [good[:-1] + each for each in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef" if each != last]
    assert {code_of(verify, instance, each) for each in others} <= {"grant_malformed", "grant_signature_invalid"}


@given(place=st.integers(0, 2000), other=st.sampled_from("AZaz09-_."))
def test_no_changed_character_goes_unnoticed(place, other):
    """A grant that was altered anywhere is refused."""
    instance = FakeInstance(NOON)
    good = token(instance)
    place %= len(good)
    if good[place] != other:
        with pytest.raises(RequestRefused):
            verify(instance, good[:place] + other + good[place + 1 :])


def test_a_grant_is_used_once(instance):
    """And forgotten once it has expired, when it would be refused anyway."""
    used, grant = UsedGrants(), verify(instance, token(instance))
    used.use(grant, NOON)
    assert code_of(used.use, grant, NOON + timedelta(seconds=29)) == "grant_used"
    used.use(grant, NOON + timedelta(seconds=30))
