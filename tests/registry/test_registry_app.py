"""The registry's HTTP interface: Confluent's routes, statuses, error codes, bodies and words."""

import asyncio
import json

import httpx
import pytest
from prometheus_client import REGISTRY

from exchange.errors import BrokerUnreachable, DirectoryExpired, RecordTooLarge
from exchange.registry import OpenWrites, RegistryService, build_app
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


@pytest.fixture
async def ask(service):
    """Sends a request to the application in this process."""
    transport = httpx.ASGITransport(build_app(service, OpenWrites()))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:

        async def send(method, path, body=None):
            content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            return await client.request(method, path, content=content, headers={"content-type": MEDIA_TYPE})

        yield send


@pytest.fixture
async def filled(ask):
    """Two versions of a subject, and the first of them in another."""
    for subject, text in ((SUBJECT, V1), (SUBJECT, V2), ("other-value", V1)):
        await ask("POST", f"/subjects/{subject}/versions", {"schema": text})
    return ask


FIRST = {"subject": SUBJECT, "version": 1, "id": 1, "schema": V1}
SECOND = {"subject": SUBJECT, "version": 2, "id": 2, "schema": V2}


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("GET", "/", None, {}),
        ("GET", "/schemas/types", None, ["AVRO"]),
        ("GET", "/mode", None, {"mode": "READWRITE"}),
        ("GET", "/subjects", None, [SUBJECT, "other-value"]),
        ("GET", f"/subjects/{SUBJECT}/versions", None, [1, 2]),
        ("GET", f"/subjects/{SUBJECT}/versions/1", None, FIRST),
        ("GET", f"/subjects/{SUBJECT}/versions/latest", None, SECOND),
        ("GET", f"/subjects/{SUBJECT}/versions/-1", None, SECOND),
        ("GET", f"/subjects/{SUBJECT}/versions/2/schema", None, json.loads(V2)),
        ("GET", "/schemas/ids/1", None, {"schema": V1}),
        ("GET", "/schemas/ids/2?fetchMaxId=false&subject=x", None, {"schema": V2}),
        ("GET", "/schemas/ids/1/schema", None, json.loads(V1)),
        ("GET", "/schemas/ids/1/subjects", None, [SUBJECT, "other-value"]),
        (
            "GET",
            "/schemas/ids/1/versions",
            None,
            [{"subject": SUBJECT, "version": 1}, {"subject": "other-value", "version": 1}],
        ),
        ("POST", f"/subjects/{SUBJECT}", {"schema": V1}, FIRST),
        ("POST", f"/subjects/{SUBJECT}?normalize=true", {"schema": V2, "schemaType": "AVRO", "x": 1}, SECOND),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": V1}, {"id": 1}),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": V2, "references": [], "schemaType": None}, {"id": 2}),
        ("POST", "/subjects/new-value/versions", {"schema": '{"type":"string"}'}, {"id": 3}),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions/latest", {"schema": V1}, {"is_compatible": True}),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions/2", {"schema": BAD}, {"is_compatible": False}),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions", {"schema": BAD}, {"is_compatible": False}),
        ("POST", "/compatibility/subjects/none/versions/latest", {"schema": BAD}, {"is_compatible": True}),
        (
            "POST",
            f"/compatibility/subjects/{SUBJECT}/versions/latest?verbose=true",
            {"schema": V2},
            {"is_compatible": True, "messages": []},
        ),
        ("GET", "/config", None, {"compatibilityLevel": "BACKWARD"}),
        ("PUT", "/config", {"compatibility": "full"}, {"compatibility": "FULL"}),
        ("DELETE", "/config", None, {"compatibilityLevel": "BACKWARD"}),
        ("PUT", f"/config/{SUBJECT}", {"compatibility": "NONE"}, {"compatibility": "NONE"}),
        ("GET", f"/config/{SUBJECT}?defaultToGlobal=true", None, {"compatibilityLevel": "BACKWARD"}),
    ],
)
async def test_each_route_answers_as_confluents(filled, method, path, body, answer):
    """Status 200, Confluent's media type and body."""
    response = await filled(method, path, body)
    assert response.json() == answer
    assert (response.status_code, response.headers["content-type"]) == (200, MEDIA_TYPE)


VERSION_WORDS = 'is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
LEVEL_WORDS = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
    "forward_transitive, and full_transitive"
)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "number", "words"),
    [
        ("GET", "/subjects/none/versions", None, 404, 40401, "Subject 'none' not found."),
        ("GET", "/subjects/none/versions/1", None, 404, 40401, "Subject 'none' not found."),
        ("GET", f"/subjects/{SUBJECT}/versions/9", None, 404, 40402, "Version 9 not found."),
        ("GET", f"/subjects/{SUBJECT}/versions/9/schema", None, 404, 40402, "Version 9 not found."),
        ("GET", f"/subjects/{SUBJECT}/versions/0", None, 422, 42202, f"The specified version '0' {VERSION_WORDS}"),
        ("GET", f"/subjects/{SUBJECT}/versions/x", None, 422, 42202, f"The specified version 'x' {VERSION_WORDS}"),
        ("GET", f"/subjects/{SUBJECT}/versions/2147483648", None, 422, 42202, VERSION_WORDS),
        ("GET", f"/subjects/{SUBJECT}/versions/{'9' * 5000}", None, 422, 42202, VERSION_WORDS),
        ("GET", "/schemas/ids/99", None, 404, 40403, "Schema 99 not found"),
        ("GET", "/schemas/ids/99/schema", None, 404, 40403, "Schema 99 not found"),
        ("GET", "/schemas/ids/99/versions", None, 404, 40403, "Schema 99 not found"),
        ("GET", "/schemas/ids/99/subjects", None, 404, 40403, "Schema 99 not found"),
        ("GET", "/schemas/ids/abc", None, 404, 40403, "HTTP 404 Not Found"),
        ("POST", "/subjects/none", {"schema": V1}, 404, 40401, "Subject 'none' not found."),
        ("POST", f"/subjects/{SUBJECT}", {"schema": BAD}, 404, 40403, "Schema not found"),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": BAD}, 409, 409, "field 'region_code' was added without"),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": "{"}, 422, 42201, "Invalid schema {subject="),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": ""}, 422, 42201, "Empty schema"),
        ("POST", f"/subjects/{SUBJECT}/versions", {}, 422, 42201, "Empty schema"),
        ("POST", f"/subjects/{SUBJECT}/versions", b"", 422, 42201, "body is not what this route takes"),
        ("POST", f"/subjects/{SUBJECT}/versions", b"not json", 422, 42201, "body is not what this route takes"),
        ("POST", f"/subjects/{SUBJECT}/versions", b"[]", 422, 42201, "body is not what this route takes"),
        ("POST", f"/subjects/{SUBJECT}/versions", b'{"schema": 5}', 422, 42201, "Expected `str | null`, got `int`"),
        ("POST", f"/subjects/{SUBJECT}/versions", b'{"schema": "\\ud800"}', 422, 42201, "body is not"),
        ("POST", f"/subjects/{SUBJECT}/versions", b'{"schema": "\xff"}', 422, 42201, "body is not"),
        ("POST", f"/subjects/{SUBJECT}/versions", b'{"x":' + b"[" * 100_000, 422, 42201, "body is not"),
        (
            "POST",
            f"/subjects/{SUBJECT}/versions",
            {"schema": '"string"', "schemaType": "PROTOBUF"},
            422,
            42201,
            "Invalid schema type PROTOBUF",
        ),
        (
            "POST",
            f"/subjects/{SUBJECT}/versions",
            {"schema": V1, "references": [{"name": "x", "subject": "y", "version": 1}]},
            422,
            42201,
            "references are not taken yet",
        ),
        ("POST", "/subjects/a%00b/versions", {"schema": V1}, 422, 42208, "is not a valid subject"),
        ("POST", "/compatibility/subjects/none/versions/1", {"schema": V1}, 404, 40401, "Subject 'none' not found."),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions/7", {"schema": V1}, 404, 40402, "Version 7 not found."),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions/x", {"schema": V1}, 422, 42202, VERSION_WORDS),
        ("POST", f"/compatibility/subjects/{SUBJECT}/versions/1", {"schema": "{"}, 422, 42201, "Invalid schema"),
        ("PUT", "/config", {"compatibility": "UP"}, 422, 42203, LEVEL_WORDS),
        ("PUT", f"/config/{SUBJECT}", {}, 422, 42203, LEVEL_WORDS),
        ("PUT", "/config", b"{", 422, 42201, "body is not what this route takes"),
        (
            "GET",
            f"/config/{SUBJECT}",
            None,
            404,
            40408,
            f"Subject '{SUBJECT}' does not have subject-level compatibility configured",
        ),
        ("DELETE", f"/config/{SUBJECT}", None, 404, 40401, f"Subject '{SUBJECT}' not found."),
        ("GET", "/nothing/here", None, 404, 404, "HTTP 404 Not Found"),
        ("DELETE", "/schemas/ids/1", None, 405, 405, "HTTP 405 Method Not Allowed"),
        ("PATCH", "/config", None, 405, 405, "HTTP 405 Method Not Allowed"),
    ],
)
async def test_each_refusal_has_confluents_status_code_and_words(filled, method, path, body, status, number, words):
    """Every error is JSON with `error_code` and `message`."""
    response = await filled(method, path, body)
    assert (response.status_code, response.json()["error_code"]) == (status, number)
    assert words in response.json()["message"]
    assert response.headers["content-type"] == MEDIA_TYPE


async def test_a_verbose_check_says_why(filled):
    """Each incompatibility, the version it is with, the level, and the reason in plain words."""
    path = f"/compatibility/subjects/{SUBJECT}/versions/latest?verbose=true"
    body = (await filled("POST", path, {"schema": BAD})).json()
    kind, version, old, level, explanation = body["messages"]
    assert body["is_compatible"] is False
    assert kind.startswith("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'region_code'")
    assert (version, level) == ("{oldSchemaVersion: 2}", "{validateFields: 'false', compatibility: 'BACKWARD'}")
    assert old == f"{{oldSchema: '{V2}'}}"
    assert "field 'region_code' was added without a default" in explanation


async def test_a_level_that_was_set_is_told_and_taken_back(filled):
    """PUT, GET, DELETE, and then it is not configured."""
    await filled("PUT", f"/config/{SUBJECT}", {"compatibility": "FULL"})
    assert (await filled("GET", f"/config/{SUBJECT}")).json() == {"compatibilityLevel": "FULL"}
    assert (await filled("DELETE", f"/config/{SUBJECT}")).json() == {"compatibilityLevel": "FULL"}
    assert (await filled("GET", f"/config/{SUBJECT}")).status_code == 404


async def test_other_kinds_of_schemas_in_the_topic_are_told_as_what_they_are(store, ask):
    """What Confluent's registry wrote is answered with its type and references."""
    references = [{"name": "o.proto", "subject": "o-value", "version": 1}]
    key = {"keytype": "SCHEMA", "subject": "p-value", "version": 1, "magic": 1}
    value = {"subject": "p-value", "version": 1, "id": 4, "schema": "message P {}", "schemaType": "PROTOBUF"}
    record = {**value, "references": references, "deleted": False}
    store.log.records.append((json.dumps(key).encode(), json.dumps(record).encode()))
    await ask("PUT", "/config/any", {"compatibility": "NONE"})
    assert (await ask("GET", "/schemas/ids/4")).json() == {
        "schema": "message P {}",
        "schemaType": "PROTOBUF",
        "references": references,
    }
    assert (await ask("GET", "/subjects/p-value/versions/latest")).json() == {**value, "references": references}


async def test_a_head_request_is_answered_without_a_body(filled):
    """As GET, without the content."""
    response = await filled("HEAD", "/subjects")
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize("levels", [150, 1_000, 50_000])
async def test_a_schema_nested_too_deep_is_invalid(ask, levels):
    """Depth is answered, not suffered."""
    text = '{"type":"array","items":' * levels + '"int"' + "}" * levels
    for path in (f"/subjects/{SUBJECT}/versions", f"/compatibility/subjects/{SUBJECT}/versions/latest"):
        response = await ask("POST", path, {"schema": text})
        assert (response.status_code, response.json()["error_code"]) == (422, 42201)
        assert len(response.content) < 5000


async def test_a_schema_of_two_megabytes_is_answered(ask):
    """Large schemas are registered, compared and read; and broken ones are invalid."""
    fields = [{"name": f"field_{number}", "type": "string", "doc": "x" * 900} for number in range(2200)]
    large = schema(*fields)
    assert len(large) > 2_000_000
    assert (await ask("POST", f"/subjects/{SUBJECT}/versions", {"schema": large})).json() == {"id": 1}
    assert (await ask("GET", "/schemas/ids/1")).json() == {"schema": large}
    grown = schema(*fields, ("more", "int"))
    assert (await ask("POST", f"/subjects/{SUBJECT}/versions", {"schema": grown})).status_code == 409
    broken = await ask("POST", f"/subjects/{SUBJECT}/versions", {"schema": large[:-1]})
    assert (broken.status_code, broken.json()["error_code"]) == (422, 42201)


async def test_an_enum_of_a_hundred_thousand_symbols_is_answered(ask):
    """Wide is as fine as deep is not."""
    symbols = [f"S{number}" for number in range(100_000)]
    text = json.dumps({"type": "enum", "name": "E", "symbols": symbols})
    assert (await ask("POST", f"/subjects/{SUBJECT}/versions", {"schema": text})).json() == {"id": 1}
    twice = json.dumps({"type": "enum", "name": "E", "symbols": [*symbols, "S7"]})
    assert (await ask("POST", f"/subjects/{SUBJECT}/versions", {"schema": twice})).status_code == 422


async def test_a_body_past_every_bound_is_too_large(ask):
    """Reading stops at the bound."""
    response = await ask("POST", f"/subjects/{SUBJECT}/versions", b" " * (9 << 20))
    assert (response.status_code, response.json()["error_code"]) == (422, 42209)
    assert response.json()["message"] == "Register operation failed because schema is too large"


async def test_reads_are_answered_while_a_large_schema_is_checked(filled):
    """Work on the processor is done beside the event loop."""
    large = schema(*({"name": f"f{number}", "type": "string"} for number in range(15_000)))
    checking = asyncio.create_task(
        filled("POST", f"/compatibility/subjects/{SUBJECT}/versions/latest", {"schema": large})
    )
    reads = 0
    while not checking.done():
        assert (await filled("GET", "/schemas/ids/1")).status_code == 200
        reads += 1
        await asyncio.sleep(0)
    assert (await checking).json() == {"is_compatible": False}
    assert reads > 3


@pytest.mark.parametrize(
    ("failure", "status", "number", "words"),
    [
        (BrokerUnreachable("Kafka does not answer at 127.0.0.1:9"), 500, 50001, "Kafka does not answer"),
        (RecordTooLarge("too large"), 422, 42209, "Register operation failed because schema is too large"),
        (DirectoryExpired("the directory expired"), 503, 50301, "the directory expired"),
        (ZeroDivisionError("secret"), 500, 50001, "Error in the backend data store"),
    ],
)
async def test_a_failure_of_the_store_is_answered(failure, status, number, words):
    """With Confluent's codes, and nothing of the inside."""

    class FailingStore(MemorySchemaStore):
        async def append(self, key, value):
            raise failure

    service = RegistryService(FailingStore())
    await service.start()
    transport = httpx.ASGITransport(build_app(service, OpenWrites()))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        response = await client.post(f"/subjects/{SUBJECT}/versions", json={"schema": V1})
    assert (response.status_code, response.json()["error_code"]) == (status, number)
    assert words in response.json()["message"]
    assert "secret" not in response.text


async def test_until_it_is_ready_everything_is_503():
    """A registry that has not read its topic answers nothing from half a state."""
    transport = httpx.ASGITransport(build_app(RegistryService(MemorySchemaStore()), OpenWrites()))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
        for path in ("/", "/subjects", "/schemas/ids/1"):
            response = await client.get(path)
            assert (response.status_code, response.json()["error_code"]) == (503, 50301)
        assert (await client.get("/readyz")).status_code == 503
        assert (await client.get("/healthz")).status_code == 200


async def test_requests_and_schemas_are_counted(filled):
    """By route, never by subject; and the schemas there are."""
    labels = {"route": "/subjects/{subject}/versions/{version}", "status": "404"}
    before = REGISTRY.get_sample_value("exchange_registry_requests_total", labels) or 0
    await filled("GET", "/subjects/none/versions/1")
    assert REGISTRY.get_sample_value("exchange_registry_requests_total", labels) == before + 1
    assert REGISTRY.get_sample_value("exchange_registry_schemas") == 2
    metrics = (await filled("GET", "/metrics")).text
    assert "exchange_registry_registrations_total" in metrics
    assert SUBJECT not in metrics
