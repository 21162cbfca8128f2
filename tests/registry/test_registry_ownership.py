"""Who may write: the owner of a subject's topic, by signature, and nobody else."""

import json

import httpx
import pytest
from structlog.testing import capture_logs

from exchange.ids import AgencyId, uuid7
from exchange.registry import OpenWrites, SignedWrites, build_app
from exchange.transport.http import Credentials, HttpRequest, sign_request
from exchange.trust import SigningKey
from tests.fakes.instance import INTERIOR, RESIDENCE_TOPIC, TAX, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock
from tests.registry.conftest import V1, V2

OWN = f"{RESIDENCE_TOPIC}-value"
HOST = "registry.example:8081"


@pytest.fixture
def clock():
    """A clock that stands at noon."""
    return MovingClock()


@pytest.fixture
def instance():
    """Agencies with keys; interior owns the residence topic."""
    return FakeInstance(NOON)


@pytest.fixture
async def client(service, instance, clock):
    """A client of a registry that asks who writes."""
    app = build_app(service, SignedWrites(instance.directory, clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as client:
        yield client


def signed(path, credentials, clock, *, method="POST", content=None, authority=HOST, transaction_id=None):
    """The body and headers of a signed write."""
    body = json.dumps(content or {"schema": V1}).encode()
    request = HttpRequest(method, authority, path, "", {}, body)
    return {"content": body, "headers": sign_request(request, transaction_id or uuid7(), credentials, clock.now())}


async def test_the_owner_registers(client, instance, clock):
    """A signature of the topic's agency is enough."""
    path = f"/subjects/{OWN}/versions"
    response = await client.post(path, **signed(path, instance.credentials(INTERIOR), clock))
    assert (response.status_code, response.json()["id"]) == (200, 1)


async def test_another_agency_is_refused_by_name(client, instance, clock):
    """The message says who owns the subject and who asked."""
    path = f"/subjects/{OWN}/versions"
    response = await client.post(path, **signed(path, instance.credentials(TAX), clock))
    assert (response.status_code, response.json()["error_code"]) == (403, 40301)
    assert response.json()["message"] == f"Subject '{OWN}' belongs to {INTERIOR}; {TAX} asked"
    assert (await client.get("/subjects")).json() == []


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("gov.interior.civil.unknown.v1-value", "belongs to no topic of the directory"),
        (RESIDENCE_TOPIC, "is not <topic>-value of a topic"),
        (f"{RESIDENCE_TOPIC}-key", "is not <topic>-value of a topic"),
        ("anything-value", "is not <topic>-value of a topic"),
    ],
)
async def test_a_subject_of_no_topic_belongs_to_nobody(client, instance, clock, subject, words):
    """Only topics of the directory have contracts."""
    path = f"/subjects/{subject}/versions"
    response = await client.post(path, **signed(path, instance.credentials(INTERIOR), clock))
    assert (response.status_code, response.json()["error_code"]) == (403, 40301)
    assert words in response.json()["message"]


async def test_a_subjects_level_is_its_owners(client, instance, clock):
    """Reconfiguring is a write like any other."""
    path, level = f"/config/{OWN}", {"compatibility": "NONE"}
    refused = await client.put(path, **signed(path, instance.credentials(TAX), clock, method="PUT", content=level))
    done = await client.put(path, **signed(path, instance.credentials(INTERIOR), clock, method="PUT", content=level))
    assert (refused.status_code, done.status_code) == (403, 200)
    taken = signed(path, instance.credentials(INTERIOR), clock, method="DELETE")
    assert (await client.request("DELETE", path, **taken)).status_code == 200


async def test_the_level_of_all_belongs_to_no_agency(client, instance, clock):
    """One agency cannot loosen everyone's contracts."""
    sent = signed("/config", instance.credentials(INTERIOR), clock, method="PUT", content={"compatibility": "NONE"})
    response = await client.put("/config", **sent)
    assert response.status_code == 403
    assert "belongs to no agency" in response.json()["message"]


async def test_an_unsigned_write_is_refused(client):
    """Nobody writes without a name."""
    for method, path in (
        ("POST", f"/subjects/{OWN}/versions"),
        ("PUT", f"/config/{OWN}"),
        ("DELETE", f"/config/{OWN}"),
    ):
        response = await client.request(method, path, json={"schema": V1, "compatibility": "NONE"})
        assert (response.status_code, response.json()["error_code"]) == (401, 40101)
        assert "this write is not signed" in response.json()["message"]


async def test_a_request_that_was_altered_is_refused(client, instance, clock):
    """The signature covers the body, the path and the host."""
    path = f"/subjects/{OWN}/versions"
    good = signed(path, instance.credentials(INTERIOR), clock)
    altered = {**good, "content": good["content"].replace(b"code", b"kode")}
    elsewhere = signed(path, instance.credentials(INTERIOR), clock, authority="other.example")
    for sent, where in ((altered, path), (elsewhere, path), (good, "/subjects/x-value/versions")):
        assert (await client.post(where, **sent)).status_code == 401


async def test_a_request_counts_once(client, instance, clock):
    """A replay is refused, though what it asks for is done already."""
    path = f"/subjects/{OWN}/versions"
    sent = signed(path, instance.credentials(INTERIOR), clock)
    assert (await client.post(path, **sent)).status_code == 200
    response = await client.post(path, **sent)
    assert (response.status_code, response.json()["error_code"]) == (401, 40101)


async def test_a_request_signed_too_long_ago_is_refused(client, instance, clock):
    """A clock that is off is named."""
    path = f"/subjects/{OWN}/versions"
    sent = signed(path, instance.credentials(INTERIOR), clock)
    clock.move(minutes=5)
    response = await client.post(path, **sent)
    assert response.status_code == 401
    assert "set the clocks" in response.json()["message"]


@pytest.mark.parametrize("agency", ["UZ/GOV/interior/civil", "UZ/GOV/nobody/here"])
async def test_a_key_the_directory_does_not_know_is_refused(client, clock, agency):
    """Whoever it says it is."""
    path = f"/subjects/{OWN}/versions"
    stranger = Credentials(AgencyId.parse(agency), SigningKey.generate())
    assert (await client.post(path, **signed(path, stranger, clock))).status_code == 401


async def test_past_the_directorys_expiry_nothing_is_written(client, instance, clock):
    """Everything is denied until a fresh one is there; reads go on."""
    path = f"/subjects/{OWN}/versions"
    clock.move(days=8)
    response = await client.post(path, **signed(path, instance.credentials(INTERIOR), clock))
    assert (response.status_code, response.json()["error_code"]) == (503, 50301)
    assert (await client.get("/subjects")).status_code == 200


async def test_reading_and_checking_need_no_signature(client, instance, clock):
    """Contracts are public to members."""
    path = f"/subjects/{OWN}/versions"
    await client.post(path, **signed(path, instance.credentials(INTERIOR), clock))
    assert (await client.get(f"{path}/latest")).status_code == 200
    assert (await client.post(f"/subjects/{OWN}", json={"schema": V1})).status_code == 200
    check = await client.post(f"/compatibility{path}/latest", json={"schema": V2})
    assert check.json() == {"is_compatible": True}


async def test_an_open_registry_says_so_and_takes_every_write(service):
    """For development, with a warning at its start."""
    with capture_logs() as said:
        app = build_app(service, OpenWrites())
    assert [each["log_level"] for each in said] == ["warning"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}") as client:
        assert (await client.post("/subjects/any/versions", json={"schema": V1})).json()["id"] == 1
