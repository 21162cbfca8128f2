"""Lookups over HTTP: the gateway's question, signed; the granted fields of one individual, signed."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from exchange.connect.app import provider_app
from exchange.connect.config import Service
from exchange.connect.database import Database
from exchange.connect.provider import LookupTable
from exchange.errors import AdapterError
from exchange.gateway.grant import Grant, sign_grant
from exchange.ids import ServiceId, uuid7
from exchange.transport.http import HttpRequest, sign_request, verify_response
from tests.connect.world import PEPPER, context
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock

SERVICE = Service.model_validate(
    {
        "name": "tax-standing",
        "listen": "127.0.0.1:1",
        "table": "TAXPAYERS",
        "individual": {"scheme": "uz-tin", "column": "STIR"},
        "fields": {
            "standing": {"column": "HOLAT", "codes": {"1": "good", "2": "in_debt"}},
            "debt_uzs": {"column": "QARZ"},
            "legal_name": {"column": "NOMI", "charset": "cp1251"},
            "registered_on": {"column": "SANA", "format": "%d.%m.%Y"},
            "country": {"value": "UZ"},
        },
    }
)
ROWS = [
    ("301234567", "1", 0, "Акме".encode("cp1251"), "01.02.2003"),
    ("302222222", "2", 12.5, None, None),
    ("303333333", "9", 0, None, None),
    ("304444444", "1", 0, None, None),
    ("304444444", "1", 1, None, None),
]
ALL = ("standing", "debt_uzs", "legal_name", "registered_on", "country")


class Provider:
    """The tax registry's provider, and a gateway that asks it."""

    def __init__(self, legacy) -> None:
        legacy.run("CREATE TABLE TAXPAYERS (STIR TEXT, HOLAT TEXT, QARZ NUMERIC, NOMI TEXT, SANA TEXT)")
        for row in ROWS:
            legacy.run("INSERT INTO TAXPAYERS VALUES (?, ?, ?, CAST(? AS TEXT), ?)", *row)
        self.clock = MovingClock()
        self.instance = FakeInstance(NOON)
        self.database = Database(f"sqlite:///{legacy.path}", read_only=True, busy_seconds=0.01)
        given = context(self.instance.directory, self.instance.keys[TAX], self.clock)
        self.table = LookupTable(self.database, TAX, SERVICE, PEPPER)
        self.client = TestClient(provider_app(self.table, TAX, given), base_url="http://provider")

    def ask(self, tin="301234567", fields=("standing",), *, granted=ALL, scheme="uz-tin", signer=GATEWAY, **parts):
        """The gateway's question; the answer's status and content, once its signature has verified."""
        transaction = parts.get("transaction") or uuid7()
        made = Grant(
            ServiceId.parse(parts.get("service", TAX_STANDING)),
            PROCUREMENT,
            parts.get("granted_transaction", transaction),
            "tender-eligibility",
            frozenset(granted),
            "consent",
        )
        grant = sign_grant(made, self.instance.credentials(GATEWAY), self.clock.now())
        question = {"grant": grant, "individual": {"scheme": scheme, "value": tin}, "fields": list(fields)}
        return self.send(parts.get("body", json.dumps(question).encode()), transaction, signer)

    def send(self, body, transaction, signer=GATEWAY):
        """Any body, signed."""
        request = HttpRequest("POST", "provider", "/v1/lookups", "", {}, body)
        signed = sign_request(request, transaction, self.instance.credentials(signer), self.clock.now())
        answer = self.client.post("/v1/lookups", content=body, headers=signed)
        headers = dict(answer.headers)
        directory = self.instance.directory()
        verify_response(answer.status_code, headers, answer.content, signed, TAX, directory, self.clock.now())
        return answer.status_code, answer.json()


@pytest.fixture
def provider(legacy):
    """A provider whose table was opened."""
    provider = Provider(legacy)
    asyncio.run(provider.table.open())
    yield provider
    asyncio.run(provider.database.close())


def test_only_the_fields_that_were_asked_for_are_answered(provider):
    """As plain JSON."""
    assert provider.ask() == (200, {"data": {"standing": "good"}})
    assert provider.ask(fields=ALL) == (
        200,
        {
            "data": {
                "standing": "good",
                "debt_uzs": 0,
                "legal_name": "Акме",
                "registered_on": "2003-02-01",
                "country": "UZ",
            }
        },
    )


def test_what_the_table_does_not_have_is_null(provider):
    """A NULL is told as such."""
    fields = ("standing", "debt_uzs", "legal_name")
    data = {"standing": "in_debt", "debt_uzs": 12.5, "legal_name": None}
    assert provider.ask("302222222", fields) == (200, {"data": data})


def test_a_constant_alone_needs_the_individual_too(provider):
    """There is no answer about somebody who is not there."""
    assert provider.ask(fields=("country",)) == (200, {"data": {"country": "UZ"}})
    assert provider.ask("399999999", ("country",))[1]["code"] == "individual_not_found"


def refused(answer):
    """Status, code and hop of a problem."""
    status, problem = answer
    return status, problem["code"], problem["hop"]


def test_somebody_who_is_not_there_is_not_found(provider):
    """And the answer repeats no number."""
    answer = provider.ask("399999999")
    assert refused(answer) == (404, "individual_not_found", "provider")
    assert "399999999" not in str(answer)


def test_a_field_beyond_the_grant_is_refused(provider):
    """Whatever else was granted."""
    answer = provider.ask(fields=("standing", "debt_uzs"), granted=["standing"])
    assert refused(answer) == (403, "field_not_granted", "provider")


def test_a_field_that_the_service_does_not_have_is_refused(provider):
    """A grant cannot make one up."""
    assert refused(provider.ask(fields=("salary",), granted=["salary"])) == (403, "field_unknown", "provider")


def test_a_record_that_is_there_twice_is_not_answered(provider):
    """Neither of them may be the individual's."""
    assert refused(provider.ask("304444444")) == (502, "individual_ambiguous", "provider")


def test_a_record_that_does_not_fit_is_not_answered(provider):
    """The code names the field, not what is in it."""
    status, problem = provider.ask("303333333")
    assert (status, problem["code"]) == (502, "value_invalid")
    assert "column HOLAT, field standing" in problem["detail"]


def test_an_identifier_of_another_scheme_finds_nobody(provider):
    """A number means something in its own scheme only."""
    assert refused(provider.ask(scheme="uz-pinfl")) == (502, "individual_scheme_mismatch", "provider")
    assert refused(provider.ask(scheme="TIN")) == (422, "identifier_invalid", "provider")


def test_a_grant_for_another_service_is_refused(provider):
    """It is not this provider's."""
    answer = provider.ask(service="UZ/GOV/interior/civil/residence")
    assert refused(answer) == (401, "grant_audience_mismatch", "provider")


def test_a_grant_of_another_transaction_is_refused(provider):
    """A grant goes with its own request."""
    answer = provider.ask(granted_transaction=uuid7())
    assert refused(answer) == (401, "grant_transaction_mismatch", "provider")


def test_only_a_gateway_may_ask(provider):
    """A consumer that took hold of a grant cannot use it."""
    assert refused(provider.ask(signer=PROCUREMENT)) == (401, "grant_issuer_mismatch", "provider")


def test_a_question_is_answered_once(provider):
    """The same request, sent again, is a replay."""
    transaction = uuid7()
    assert provider.ask(transaction=transaction)[0] == 200
    assert refused(provider.ask(transaction=transaction)) == (401, "transaction_replayed", "provider")


def test_an_unsigned_question_is_refused(provider):
    """Before anything of it is read."""
    answer = provider.client.post("/v1/lookups", content=b"{}")
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b'{"grant": "", "individual": {}, "fields": []}'])
def test_a_body_that_is_no_question_is_malformed(provider, body):
    """The problem says what is expected."""
    status, problem = provider.send(body, uuid7())
    assert (status, problem["code"]) == (400, "request_malformed")
    assert "individual" in problem["detail"]


def test_a_question_for_no_field_is_malformed(provider):
    """There is nothing to answer."""
    assert refused(provider.ask(fields=())) == (400, "request_malformed", "provider")


def test_a_database_that_is_away_is_said_without_saying_where_it_is(legacy, provider):
    """The same question may succeed later."""
    hidden = legacy.path.rename(legacy.path.with_suffix(".away"))
    status, problem = provider.ask()
    assert (status, problem["code"], problem["retriable"]) == (503, "database_unavailable", True)
    assert str(legacy.path) not in str(problem)
    hidden.rename(legacy.path)
    assert provider.ask()[0] == 200


def test_a_number_column_finds_numbers(legacy):
    """The identifier's text is compared as the column's type; text that is no number is nobody's."""
    provider = Provider(legacy)
    legacy.run("CREATE TABLE NUMBERED (STIR INTEGER, HOLAT TEXT)")
    legacy.run("INSERT INTO NUMBERED VALUES (301234567, '2')")
    service = SERVICE.model_copy(update={"table": "NUMBERED", "fields": {"standing": SERVICE.fields["standing"]}})
    table = LookupTable(provider.database, TAX, service, PEPPER)
    asyncio.run(table.open())
    provider.client = TestClient(
        provider_app(table, TAX, context(provider.instance.directory, provider.instance.keys[TAX], provider.clock)),
        base_url="http://provider",
    )
    assert provider.ask() == (200, {"data": {"standing": "in_debt"}})
    assert refused(provider.ask("abc")) == (404, "individual_not_found", "provider")


async def test_a_column_that_is_not_there_is_named_before_any_question(legacy):
    """When the service starts."""
    legacy.run("CREATE TABLE TAXPAYERS (STIR TEXT)")
    database = Database(f"sqlite:///{legacy.path}", read_only=True)
    with pytest.raises(AdapterError, match="table TAXPAYERS has no column HOLAT"):
        await LookupTable(database, TAX, SERVICE, PEPPER).open()
    await database.close()


def test_health_is_served(provider):
    """By the same application."""
    assert provider.client.get("/healthz").status_code == 200
    assert "exchange_adapter_lookups_total" in provider.client.get("/metrics").text
