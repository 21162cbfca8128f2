"""Errors as problems, and bodies that are read to their end."""

from __future__ import annotations

import inspect

import msgspec
import pytest
from starlette.requests import Request

from exchange import errors
from exchange.consent import DENIALS
from exchange.errors import AccessDenied, DirectoryExpired, ExchangeError, LookupFailed, PeerUnreachable, RequestRefused
from exchange.gateway import FAILURES
from exchange.transport.web import malformed, problem_body, problem_response, read_body, status_of

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ExchangeError)]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_error_has_a_status(kind):
    """Whatever is raised, there is a status that says whose fault it is."""
    assert 400 <= status_of(kind("message")) <= 599


@pytest.mark.parametrize(
    ("code", "status"),
    [("consent_missing", 403), ("cap_exceeded", 429), ("consent_view_stale", 503), ("directory_expired", 503)],
)
def test_denials_have_their_statuses(code, status):
    """A denial is 403; what may pass later says so by its status."""
    assert status_of(AccessDenied("no", code=code)) == status


def test_statuses_and_retriable_agree():
    """No denial and no failure that can be repeated has a status that says never, nor the other way round."""
    assert {code for code in DENIALS if status_of(AccessDenied("", code=code)) != 403} == {
        "cap_exceeded",
        "consent_view_stale",
        "directory_expired",
    }
    assert {status_of(LookupFailed("", code=code)) for code in FAILURES} == {404, 502, 504}


def test_a_problem_has_what_the_specification_has():
    """RFC 9457 members, and the exchange's own: code, hop, transaction id, retriable."""
    problem = msgspec.json.decode(problem_body(AccessDenied("why", code="consent_missing"), "gateway", "019abc"))
    assert problem == {
        "type": "urn:exchange:problem:consent_missing",
        "title": "consent missing",
        "status": 403,
        "detail": "why",
        "code": "consent_missing",
        "hop": "gateway",
        "transaction_id": "019abc",
        "retriable": False,
    }


def test_a_problem_carries_where_it_happened_and_its_receipt():
    """What failed at the provider says so, though the gateway answers; a recorded refusal has its receipt."""
    error = LookupFailed("late", code="provider_timeout", retriable=True)
    error.hop, error.receipt = "provider", {"salt": "…"}
    problem = msgspec.json.decode(problem_body(error, "gateway"))
    assert (problem["hop"], problem["retriable"], problem["receipt"]) == ("provider", True, {"salt": "…"})


def test_a_problem_is_served_as_one():
    """Status and media type are those of problems."""
    response = problem_response(malformed("no"), "gateway")
    assert (response.status_code, response.media_type) == (400, "application/problem+json")


def test_errors_of_one_kind_keep_their_class_status():
    """A class without a code of its own in the table is known by its place in the tree."""
    assert status_of(RequestRefused("no", code="signature_invalid")) == 401
    assert status_of(DirectoryExpired("old")) == 503
    assert status_of(PeerUnreachable("gone")) == 503
    assert status_of(ExchangeError("what")) == 500


def streaming(*parts: bytes) -> Request:
    """A request whose body comes in parts."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    left = iter(messages)

    async def receive():
        return next(left)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_body_is_read_whole():
    """However many parts it comes in."""
    assert await read_body(streaming(b"one ", b"two ", b"three")) == b"one two three"


async def test_a_body_past_the_limit_is_refused_before_its_end():
    """Nobody can fill our memory: what follows is not even read."""
    with pytest.raises(ExchangeError) as caught:
        await read_body(streaming(b"x" * 60, b"x" * 60), limit=100)
    assert (caught.value.code, status_of(caught.value)) == ("body_too_large", 413)
    assert await read_body(streaming(b"x" * 100), limit=100) == b"x" * 100
