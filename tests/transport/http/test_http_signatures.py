"""HTTP message signatures in the one profile of spec 5."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import DirectoryExpired, RequestRefused
from exchange.ids import AgencyId, uuid7
from exchange.transport.http import (
    Credentials,
    HttpRequest,
    TransactionWindow,
    VerifiedRequest,
    authority_of,
    content_digest,
    sign_request,
    sign_response,
    verify_request,
    verify_response,
)
from exchange.trust import SigningKey
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX, FakeInstance
from tests.fakes.moving_clock import NOON

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "http-signatures.json").read_text())
TRANSACTION = "019abc00-0000-7000-8000-000000000001"
REQUEST = HttpRequest("POST", "gateway.example:8640", "/v1/lookups", "", {}, b'{"fields":["standing"]}')
INSTANCE = FakeInstance(NOON)


def signed(request: HttpRequest = REQUEST, agency: AgencyId = PROCUREMENT, now: datetime = NOON) -> HttpRequest:
    """The request with its signature."""
    headers = sign_request(request, TRANSACTION, INSTANCE.credentials(agency), now)
    return replace(request, headers={**request.headers, **headers})


def refused(request: HttpRequest, now: datetime = NOON) -> RequestRefused:
    """What verifying it raises."""
    with pytest.raises(RequestRefused) as caught:
        verify_request(request, INSTANCE.directory(), now)
    return caught.value


def test_messages_signed_while_a_key_is_rotated_verify():
    """A request and its answer each name the key that signed them, whichever of two that was."""
    instance = FakeInstance(NOON)
    sender, answering = instance.rotating(PROCUREMENT), instance.rotating(GATEWAY)
    for _ in range(2):
        headers = sign_request(REQUEST, TRANSACTION, sender, NOON)
        request = replace(REQUEST, headers=headers)
        verified = verify_request(request, instance.directory(), NOON)
        answer = sign_response(200, b"{}", TRANSACTION, verified.signature, answering, NOON)
        verify_response(200, answer, b"{}", headers, GATEWAY, instance.directory(), NOON)


def test_a_signed_request_names_its_sender():
    """Agency, transaction, time and signature come out of a request that verifies."""
    request = signed()
    verified = verify_request(request, INSTANCE.directory(), NOON)
    assert (verified.agency, verified.transaction_id, verified.created) == (PROCUREMENT, TRANSACTION, NOON)
    assert request.headers["signature"] == f"exchange={verified.signature}"


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: vector["name"])
def test_requests_are_signed_as_the_vectors_say(vector):
    """The headers are byte for byte those of the vectors, and an independent Ed25519 verifies their base."""
    key = SigningKey.from_seed(bytes.fromhex(vector["seed"]))
    given = vector["request"]
    request = HttpRequest(
        given["method"], given["authority"], given["path"], given["query"], {}, given["body"].encode()
    )
    credentials = Credentials(AgencyId.parse(vector["agency"]), key)
    created = datetime.fromtimestamp(vector["created"], UTC)
    headers = sign_request(request, vector["transaction_id"], credentials, created)
    assert headers == vector["headers"]
    _verify_independently(vector)


@pytest.mark.parametrize("vector", VECTORS["responses"], ids=lambda vector: vector["name"])
def test_responses_are_signed_as_the_vectors_say(vector):
    """A response's signature covers the request's; byte for byte as in the vectors."""
    key = SigningKey.from_seed(bytes.fromhex(vector["seed"]))
    credentials = Credentials(AgencyId.parse(vector["agency"]), key)
    headers = sign_response(
        vector["status"],
        vector["body"].encode(),
        vector["transaction_id"],
        vector["request_signature"],
        credentials,
        datetime.fromtimestamp(vector["created"], UTC),
    )
    assert headers == vector["headers"]
    _verify_independently(vector)


def _verify_independently(vector) -> None:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["public"]))
    signature = vector["headers"]["signature"].removeprefix("exchange=:").removesuffix(":")
    public.verify(base64.b64decode(signature), vector["base"].encode())


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"authority": "elsewhere.example"},
        {"path": "/v1/consents"},
        {"query": "a=b"},
    ],
)
def test_everything_that_is_covered_is_covered(change):
    """A request moved to another method, host, path or query does not verify."""
    assert refused(replace(signed(), **change)).code == "signature_invalid"


def test_an_altered_body_is_refused():
    """The digest in the headers has to be the body's."""
    assert refused(replace(signed(), body=b'{"fields":["debt_uzs"]}')).code == "digest_mismatch"


def test_an_altered_body_with_its_digest_is_refused():
    """A digest made anew is not the one that was signed."""
    request, body = signed(), b'{"fields":["debt_uzs"]}'
    headers = {**request.headers, "content-digest": content_digest(body)}
    assert refused(replace(request, body=body, headers=headers)).code == "signature_invalid"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("signature", None, "signature_missing"),
        ("signature-input", None, "signature_missing"),
        ("content-digest", None, "digest_mismatch"),
        ("x-transaction-id", None, "transaction_missing"),
        ("x-transaction-id", "019ABC00-0000-7000-8000-000000000001", "transaction_missing"),
        ("x-transaction-id", "019abc00-0000-4000-8000-000000000001", "transaction_missing"),
        ("x-transaction-id", "019abc00-0000-7000-8000-000000000002", "signature_invalid"),
        ("signature", "exchange=:AAAA:", "signature_malformed"),
        ("signature", "other=:AAAA:", "signature_malformed"),
        ("signature-input", "exchange=()", "signature_malformed"),
    ],
)
def test_a_header_that_is_not_as_it_must_be_is_refused(name, value, code):
    """Each has its code."""
    headers = {key: text for key, text in signed().headers.items() if key != name}
    request = replace(signed(), headers=headers if value is None else {**headers, name: value})
    assert refused(request).code == code


@pytest.mark.parametrize(
    "change",
    [
        ('"@method" ', ""),
        ('"@method" "@authority"', '"@authority" "@method"'),
        ('tag="exchange-v1"', 'tag="exchange-v2"'),
        (";created=", ";expires=1;created="),
        (";tag=", ';alg="ed25519";tag='),
        ("exchange=(", "sig1=("),
    ],
)
def test_only_the_one_profile_is_taken(change):
    """Fewer components, another order, another tag, another parameter or label: none is the profile."""
    request = signed()
    headers = {**request.headers, "signature-input": request.headers["signature-input"].replace(*change)}
    assert refused(replace(request, headers=headers)).code == "signature_malformed"


@pytest.mark.parametrize(("seconds", "says"), [(300, "300 s before"), (-300, "300 s after")])
def test_a_clock_five_minutes_off_is_told_how_far(seconds, says):
    """The refusal says by how much and in which direction the clocks differ."""
    error = refused(signed(), NOON + timedelta(seconds=seconds))
    assert error.code == "created_outside_window"
    assert says in error.message


@pytest.mark.parametrize("seconds", [30, -30])
def test_half_a_minute_is_allowed(seconds):
    """Both ends of the window are inside."""
    assert verify_request(signed(), INSTANCE.directory(), NOON + timedelta(seconds=seconds))


@pytest.mark.parametrize("created", ["253402300800", "999999999999"])
def test_a_time_beyond_the_calendar_is_refused(created):
    """A `created` that no calendar has is outside the window, not a failure of ours."""
    request = signed()
    text = request.headers["signature-input"].replace(f"created={int(NOON.timestamp())}", f"created={created}")
    headers = {**request.headers, "signature-input": text}
    assert refused(replace(request, headers=headers)).code == "created_outside_window"


def test_a_signature_has_one_spelling():
    """Base64 whose last bits are not zero decodes to the same bytes, and is refused all the same."""
    request = signed()
    text = request.headers["signature"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(text[-4]) + 1]
    headers = {**request.headers, "signature": f"{text[:-4]}{last}==:"}
    assert refused(replace(request, headers=headers)).code == "signature_malformed"


def keyed(keyid: str) -> HttpRequest:
    """The request, claiming another key."""
    request = signed()
    own = INSTANCE.credentials(PROCUREMENT).keyid
    headers = {**request.headers, "signature-input": request.headers["signature-input"].replace(own, keyid)}
    return replace(request, headers=headers)


@pytest.mark.parametrize(
    ("keyid", "code"),
    [
        ("UZ/GOV/nobody/there#0123456789abcdef", "agency_unknown"),
        ("UZ/GOV/procurement#0123456789abcdef", "agency_unknown"),
        ("nobody", "signature_malformed"),
        ("UZ/GOV/procurement/tenders#0123456789abcdef", "key_not_valid"),
        pytest.param(INSTANCE.credentials(TAX).keyid, "signature_invalid", id="another agency's"),
    ],
)
def test_a_key_of_another_is_refused(keyid, code):
    """Unknown agencies, unknown keys, and another agency's name on one's own signature."""
    assert refused(keyed(keyid)).code == code


def test_a_suspended_agency_is_refused():
    """Its good signature does not help."""
    instance = FakeInstance(NOON, seeds=INSTANCE.seeds)
    instance.edit(lambda content: instance.member(content, PROCUREMENT).update(status="suspended"))
    with pytest.raises(RequestRefused) as caught:
        verify_request(signed(), instance.directory(), NOON)
    assert caught.value.code == "agency_suspended"


def test_a_key_past_its_validity_is_refused():
    """A key is good between its two dates."""
    later = NOON + timedelta(days=31)
    instance = FakeInstance(later, seeds=INSTANCE.seeds)

    def end(content):
        instance.subsystem(content, PROCUREMENT)["keys"][0]["not_after"] = "2026-11-23T00:00:00Z"

    instance.edit(end)
    with pytest.raises(RequestRefused) as caught:
        verify_request(signed(now=later), instance.directory(), later)
    assert caught.value.code == "key_not_valid"


def test_past_the_directory_nobody_is_anybody():
    """With an expired directory no request verifies."""
    with pytest.raises(DirectoryExpired):
        verify_request(signed(), INSTANCE.directory(), NOON + timedelta(days=7))


def answer(status: int = 200, body: bytes = b'{"data":{}}', agency: AgencyId = GATEWAY, **change):
    """Status, headers and body of an answer to the signed request."""
    signature = change.pop("signature", signed().headers["signature"].removeprefix("exchange="))
    transaction = change.pop("transaction", TRANSACTION)
    now = change.pop("now", NOON)
    return status, sign_response(status, body, transaction, signature, INSTANCE.credentials(agency), now), body


def answer_refused(status, headers, body, now: datetime = NOON) -> str:
    """The code by which an answer is refused."""
    with pytest.raises(RequestRefused) as caught:
        verify_response(status, headers, body, signed().headers, GATEWAY, INSTANCE.directory(), now)
    return caught.value.code


def test_an_answer_to_the_request_verifies():
    """Signed by the agency that was asked, over the very request."""
    status, headers, body = answer()
    verify_response(status, headers, body, signed().headers, GATEWAY, INSTANCE.directory(), NOON)


def test_an_answer_belongs_to_one_request():
    """The answer to another request, of the same transaction even, is refused."""
    other = sign_request(replace(REQUEST, body=b"{}"), TRANSACTION, INSTANCE.credentials(PROCUREMENT), NOON)
    assert answer_refused(*answer(signature=other["signature"].removeprefix("exchange="))) == "signature_invalid"
    assert answer_refused(*answer(transaction=uuid7())) == "transaction_mismatch"


def test_an_answer_is_covered_whole():
    """Status and body cannot be changed on the way."""
    status, headers, body = answer(status=403)
    assert answer_refused(200, headers, body) == "signature_invalid"
    assert answer_refused(status, headers, body + b" ") == "digest_mismatch"
    assert answer_refused(status, {**headers, "content-digest": content_digest(b"")}, b"") == "signature_invalid"


def test_only_who_was_asked_answers():
    """Another agency's good signature is refused."""
    assert answer_refused(*answer(agency=TAX)) == "signature_wrong_agency"


def test_an_old_answer_is_refused():
    """An answer is fresh, as a request is."""
    assert answer_refused(*answer(), now=NOON + timedelta(seconds=31)) == "created_outside_window"


def test_an_unsigned_answer_is_refused():
    """No signature, no answer."""
    assert answer_refused(200, {}, b"") == "transaction_missing"
    assert answer_refused(200, {"x-transaction-id": TRANSACTION}, b"") == "signature_missing"


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("http://Gateway.Example:8640/v1/lookups?a=b", "gateway.example:8640"),
        ("https://gateway.example:443/", "gateway.example"),
        ("http://gateway.example:80", "gateway.example"),
        ("http://gateway.example:443", "gateway.example:443"),
        ("https://user:password@gateway.example/", "gateway.example"),
        ("http://[::1]:8640/", "[::1]:8640"),
    ],
)
def test_the_signed_authority_is_what_goes_out_as_host(url, authority):
    """In lower case, without the scheme's own port, without a user (RFC 9421, 2.2.3)."""
    assert authority_of(url) == authority


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(signed().headers)), st.text(max_size=80), min_size=1))
def test_any_text_in_the_headers_is_refused_as_such(wrong):
    """Whatever stands in the headers: a request verifies as it was signed, or is refused with a code."""
    request = signed()
    if {**request.headers, **wrong} == dict(request.headers):
        return
    assert refused(replace(request, headers={**request.headers, **wrong})).code


def verified(transaction: str, created: datetime = NOON) -> VerifiedRequest:
    """A request that verified."""
    return VerifiedRequest(PROCUREMENT, transaction, created, ":…:")


def test_a_transaction_is_taken_once():
    """The second time within five minutes it is refused."""
    window = TransactionWindow(NOON)
    window.admit(verified("a"), NOON)
    window.admit(verified("b"), NOON)
    with pytest.raises(RequestRefused) as caught:
        window.admit(verified("a"), NOON + timedelta(minutes=5))
    assert caught.value.code == "transaction_replayed"


def test_transactions_are_forgotten_after_five_minutes():
    """By then their signatures are too old, so nothing has to be remembered."""
    window = TransactionWindow(NOON)
    window.admit(verified("a"), NOON)
    later = NOON + timedelta(minutes=5, seconds=1)
    window.admit(verified("a", later), later)


def test_what_was_signed_before_the_start_is_refused():
    """A restart forgets which transactions were seen, so none from before it is taken."""
    window = TransactionWindow(NOON)
    with pytest.raises(RequestRefused) as caught:
        window.admit(verified("a", NOON - timedelta(seconds=1)), NOON)
    assert caught.value.code == "created_outside_window"
