"""Media types: which one an answer is written in, and which ones a body may be in."""

import pytest

from tests.registry.conftest import V1

V1_JSON = "application/vnd.schemaregistry.v1+json"
PLAIN_VENDOR = "application/vnd.schemaregistry+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, V1_JSON),
        ("", V1_JSON),
        ("*/*", V1_JSON),
        ("application/*", V1_JSON),
        (V1_JSON, V1_JSON),
        (PLAIN_VENDOR, PLAIN_VENDOR),
        (JSON, JSON),
        ("application/json; charset=utf-8", JSON),
        ("Application/JSON", JSON),
        (f"{JSON}, {V1_JSON}", V1_JSON),
        (f"{JSON}, {PLAIN_VENDOR}", PLAIN_VENDOR),
        (f"{V1_JSON};q=0.5, {JSON};q=0.9", JSON),
        (f"{V1_JSON};q=0.2,{PLAIN_VENDOR};q=0.3,{JSON};q=0.1", PLAIN_VENDOR),
        (f"{JSON};q=0.5, */*;q=0.1", JSON),
        (f"{V1_JSON};q=0, */*", PLAIN_VENDOR),
        ("text/html, */*;q=0.8", V1_JSON),
        (f"{V1_JSON}, {PLAIN_VENDOR}, {JSON}", V1_JSON),
        (f"text/plain;q=x, {JSON};level=1;q=0.4", JSON),
    ],
)
async def test_an_answer_is_in_what_the_client_weighs_most(ask, accept, media):
    """Without a preference it is the first version's own type; an error is in it too."""
    for target in ("/subjects", "/schemas/ids/1"):
        assert (await ask("GET", target, accept=accept)).headers["content-type"] == media


@pytest.mark.parametrize(
    "accept",
    ["text/html", "application/xml", f"{JSON};q=0", "*/*;q=0", "text/*", "nonsense", f"{JSON};q=nonsense", ","],
)
async def test_what_the_client_does_not_take_is_not_sent(ask, accept):
    """406, as JSON all the same."""
    for method, target in (("GET", "/subjects"), ("PUT", "/config"), ("GET", "/schemas/ids/1")):
        reply = await ask(method, target, accept=accept)
        assert (reply.status, reply.json) == (406, {"error_code": 406, "message": "HTTP 406 Not Acceptable"})
        assert reply.headers["content-type"] == V1_JSON
    assert (await ask("GET", "/config")).json == {"compatibilityLevel": "BACKWARD"}


@pytest.mark.parametrize(
    "content_type",
    [
        V1_JSON,
        PLAIN_VENDOR,
        JSON,
        "application/octet-stream",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/*",
    ],
)
async def test_a_body_is_read_in_these_types(ask, content_type):
    """Confluent's own, plain JSON, and bytes of no type."""
    reply = await ask("POST", "/subjects/a/versions", {"schema": V1}, content_type=content_type)
    assert (reply.status, reply.json["id"]) == (200, 1)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/avro", "json", "application/json+x"],
)
async def test_a_body_of_another_type_is_not_read(ask, content_type):
    """415, and nothing is registered."""
    for method, target in (("POST", "/subjects/a/versions"), ("POST", "/subjects/a"), ("PUT", "/config")):
        reply = await ask(method, target, {"schema": V1, "compatibility": "NONE"}, content_type=content_type)
        assert (reply.status, reply.json) == (415, {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"})
    assert (await ask("GET", "/subjects")).json == []


async def test_a_body_without_a_type_is_read(ask):
    """As JSON."""
    assert (await ask("POST", "/subjects/a/versions", {"schema": V1}, content_type="")).status == 200


async def test_where_is_looked_at_before_how(ask):
    """A path that is nothing, then a method it has not, then the body's type, then the answer's."""
    strange = {"content_type": "text/plain", "accept": "text/plain"}
    assert (await ask("POST", "/nothing", b"x", **strange)).status == 404
    assert (await ask("PATCH", "/subjects", b"x", **strange)).status == 405
    assert (await ask("POST", "/subjects/a", b"x", **strange)).status == 415
    assert (await ask("GET", "/subjects", accept="text/plain")).status == 406
