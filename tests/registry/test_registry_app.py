"""The registry's HTTP interface: Confluent's routes, statuses, error codes, bodies and words."""

import json

import pytest
from prometheus_client import REGISTRY

from exchange.errors import (
    BrokerUnreachable,
    DirectoryExpired,
    ExchangeError,
    PeerUnreachable,
    RecordTooLarge,
    TransportError,
)
from exchange.registry import OpenWrites, RegistryService, build_app
from exchange.registry.entities import content_md5
from exchange.transport.web import free_port, serve
from tests.fakes.schema_store import MemorySchemaStore
from tests.registry import raw_http
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema

OTHER = "other-value"
REFERS = schema(("tariff", "uz.R"), name="uz.Refers")
REFERENCES = [{"name": "uz.R", "subject": OTHER, "version": 1}]
METADATA = {"properties": {"owner": "customs", "stage": "live"}}
RULE_SET = {"domainRules": [{"name": "check", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}]}
KEPT_RULES = {"domainRules": [{**RULE_SET["domainRules"][0], "disabled": False}]}


def guid(text, references=()):
    """What identifies a schema everywhere."""
    digest = content_md5(text, references, None, None).hex()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


@pytest.fixture
async def filled(ask):
    """Two versions of a subject, the first of them in another, and one that refers to that."""
    for subject, text in ((SUBJECT, V1), (SUBJECT, V2), (OTHER, V1)):
        await ask("POST", f"/subjects/{subject}/versions", {"schema": text})
    await ask("POST", "/subjects/refers/versions", {"schema": REFERS, "references": REFERENCES})
    return ask


AVRO_1 = {"guid": guid(V1), "schemaType": "AVRO", "schema": V1}
AVRO_2 = {"guid": guid(V2), "schemaType": "AVRO", "schema": V2}
FIRST = {"subject": SUBJECT, "version": 1, "id": 1, **AVRO_1}
SECOND = {"subject": SUBJECT, "version": 2, "id": 2, **AVRO_2}
ELSEWHERE = {"subject": OTHER, "version": 1, "id": 1, **AVRO_1}
CHECK = "/compatibility/subjects"


@pytest.mark.parametrize(
    ("method", "path", "body", "answer"),
    [
        ("GET", "/", None, {}),
        ("POST", "/", {"any": "thing"}, {}),
        ("GET", "/schemas/types", None, ["AVRO"]),
        ("GET", "/contexts", None, ["."]),
        ("GET", "/subjects", None, [SUBJECT, OTHER, "refers"]),
        ("GET", "/subjects?subjectPrefix=gov.", None, [SUBJECT]),
        ("GET", f"/subjects/{SUBJECT}/versions", None, [1, 2]),
        ("GET", f"/subjects/{SUBJECT}/versions/1", None, FIRST),
        ("GET", f"/subjects/{SUBJECT}/versions/latest", None, SECOND),
        ("GET", f"/subjects/{SUBJECT}/versions/-1", None, SECOND),
        ("GET", f"/subjects/{SUBJECT}/versions/2/schema", None, json.loads(V2)),
        ("GET", f"/subjects/{OTHER}/versions/1/referencedby", None, [3]),
        ("GET", f"/subjects/{SUBJECT}/versions/1/referencedby", None, []),
        ("GET", "/schemas/ids/1", None, AVRO_1),
        ("GET", "/schemas/ids/2?fetchMaxId=true", None, {**AVRO_2, "maxId": 3}),
        ("GET", f"/schemas/ids/1?subject={OTHER}", None, {"subject": OTHER, "version": 1, **AVRO_1}),
        ("GET", "/schemas/ids/1/schema", None, json.loads(V1)),
        ("GET", "/schemas/ids/1/subjects", None, [SUBJECT, OTHER]),
        (
            "GET",
            "/schemas/ids/1/versions",
            None,
            [{"subject": SUBJECT, "version": 1}, {"subject": OTHER, "version": 1}],
        ),
        ("GET", f"/schemas/guids/{guid(V2)}", None, AVRO_2),
        ("GET", f"/schemas/guids/{guid(V2)}/ids", None, [{"context": ".", "id": 2}]),
        ("GET", "/schemas/guids/nothing/ids", None, []),
        ("GET", "/schemas?subjectPrefix=gov.", None, [FIRST, SECOND]),
        ("GET", "/schemas?subjectPrefix=gov.&latestOnly=true", None, [SECOND]),
        ("GET", "/schemas?ruleType=CEL", None, []),
        ("POST", f"/subjects/{SUBJECT}", {"schema": V1}, FIRST),
        ("POST", f"/subjects/{SUBJECT}?normalize=true", {"schema": V2, "schemaType": "AVRO"}, SECOND),
        ("POST", f"/subjects/{SUBJECT}/versions", {"schema": V1}, {"id": 1, "version": 1, **AVRO_1}),
        ("POST", f"/subjects/{SUBJECT}/versions?normalize=true", {"schema": V2}, {"id": 2, "version": 2, **AVRO_2}),
        ("POST", f"{CHECK}/{SUBJECT}/versions/latest", {"schema": V1}, {"is_compatible": True}),
        ("POST", f"{CHECK}/{SUBJECT}/versions/2", {"schema": BAD}, {"is_compatible": False}),
        ("POST", f"{CHECK}/{SUBJECT}/versions?normalize=true", {"schema": BAD}, {"is_compatible": False}),
        ("POST", f"{CHECK}/none/versions/latest", {"schema": BAD}, {"is_compatible": True}),
        ("POST", f"{CHECK}/none/versions", {"schema": BAD}, {"is_compatible": True}),
        (
            "POST",
            f"{CHECK}/{SUBJECT}/versions/latest?verbose=true",
            {"schema": V2},
            {"is_compatible": True, "messages": []},
        ),
        ("GET", "/config", None, {"compatibilityLevel": "BACKWARD"}),
        ("PUT", "/config", {"compatibility": "full"}, {"compatibility": "FULL"}),
        ("DELETE", "/config", None, {"compatibilityLevel": "BACKWARD"}),
        ("PUT", f"/config/{SUBJECT}", {"compatibility": "NONE"}, {"compatibility": "NONE"}),
        ("PUT", f"/config/{SUBJECT}", {"normalize": True, "alias": "x"}, {"normalize": True, "alias": "x"}),
        ("GET", f"/config/{SUBJECT}?defaultToGlobal=true", None, {"compatibilityLevel": "BACKWARD"}),
        ("GET", "/mode", None, {"mode": "READWRITE"}),
        ("PUT", "/mode", {"mode": "READONLY"}, {"mode": "READONLY"}),
        ("PUT", f"/mode/{SUBJECT}", {"mode": "READONLY_OVERRIDE"}, {"mode": "READONLY_OVERRIDE"}),
        ("PUT", f"/mode/{SUBJECT}?force=true", {"mode": "IMPORT"}, {"mode": "IMPORT"}),
        ("GET", f"/mode/{SUBJECT}?defaultToGlobal=true", None, {"mode": "READWRITE"}),
        ("DELETE", f"/subjects/{SUBJECT}/versions/1", None, 1),
        ("DELETE", f"/subjects/{SUBJECT}/versions/latest", None, 2),
        ("DELETE", f"/subjects/{SUBJECT}", None, [1, 2]),
        ("GET", "/v1/metadata/version", None, {"version": "0.1.0", "commitId": ""}),
    ],
)
async def test_each_route_answers_as_confluents(filled, method, path, body, answer):
    """Status 200, Confluent's media type and body."""
    reply = await filled(method, path, body)
    assert reply.json == answer
    assert (reply.status, reply.headers["content-type"]) == (200, raw_http.MEDIA_TYPE)


VERSION_WORDS = 'is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
LEVEL_WORDS = (
    "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
    "forward_transitive, and full_transitive"
)
REGISTER = f"/subjects/{SUBJECT}/versions"


@pytest.mark.parametrize(
    ("method", "path", "body", "error", "words"),
    [
        ("GET", "/subjects/none/versions", None, (404, 40401), "Subject 'none' not found."),
        ("GET", "/subjects/none/versions/1", None, (404, 40401), "Subject 'none' not found."),
        ("GET", "/subjects/none/metadata?key=a&value=b", None, (404, 40401), "Subject 'none' not found."),
        ("DELETE", "/subjects/none", None, (404, 40401), "Subject 'none' not found."),
        ("DELETE", "/subjects/none/versions/1", None, (404, 40401), "Subject 'none' not found."),
        ("GET", f"{REGISTER}/9", None, (404, 40402), "Version 9 not found."),
        ("GET", f"{REGISTER}/9/schema", None, (404, 40402), "Version 9 not found."),
        ("GET", f"{REGISTER}/9/referencedby", None, (404, 40402), "Version 9 not found."),
        ("DELETE", f"{REGISTER}/9", None, (404, 40402), "Version 9 not found."),
        ("GET", f"{REGISTER}/0", None, (422, 42202), f"The specified version '0' {VERSION_WORDS}"),
        ("GET", "/schemas/ids/99", None, (404, 40403), "Schema 99 not found"),
        ("GET", "/schemas/ids/-1", None, (404, 40403), "Schema -1 not found"),
        ("GET", "/schemas/ids/99/schema", None, (404, 40403), "Schema 99 not found"),
        ("GET", "/schemas/ids/99/subjects", None, (404, 40403), "Schema not found"),
        ("GET", "/schemas/ids/99/versions", None, (404, 40403), "Schema not found"),
        ("GET", f"/schemas/guids/{guid('x')}", None, (404, 40403), f"Schema {guid('x')} not found"),
        ("POST", f"/subjects/{SUBJECT}", {"schema": BAD}, (404, 40403), "Schema not found"),
        ("POST", "/subjects/none", {"schema": BAD}, (404, 40401), "Subject 'none' not found."),
        ("GET", f"/subjects/{SUBJECT}/metadata?key=a&value=b", None, (404, 40403), "Schema not found"),
        ("POST", REGISTER, {"schema": BAD}, (409, 409), "Schema being registered is incompatible with an earlier"),
        ("POST", REGISTER, {"schema": "{"}, (422, 42201), f"Invalid schema {{subject={SUBJECT},version=0,id=-1"),
        ("POST", "/subjects/none/versions", {"schema": ""}, (422, 42201), "Empty schema"),
        ("POST", "/subjects/none/versions", {}, (422, 42201), "Empty schema"),
        ("POST", REGISTER, {"schema": '"int"', "schemaType": "JSON"}, (422, 42201), "Invalid schema"),
        ("POST", REGISTER, {"schema": '"int"', "id": 7}, (422, 42205), "is not in import mode"),
        (
            "POST",
            REGISTER,
            {"schema": V1, "ruleSet": {"domainRules": [{"name": "1", "type": "CEL"}]}},
            (422, 42210),
            "Illegal initial character in rule name: 1",
        ),
        ("POST", f"{CHECK}/none/versions/1", {"schema": V1}, (404, 40402), "Version 1 not found."),
        ("POST", f"{CHECK}/{SUBJECT}/versions/7", {"schema": V1}, (404, 40402), "Version 7 not found."),
        ("POST", f"{CHECK}/{SUBJECT}/versions/x?verbose=true", {"schema": V1}, (422, 42202), VERSION_WORDS),
        ("POST", f"{CHECK}/{SUBJECT}/versions/1", {"schema": "{"}, (422, 42201), "Invalid schema"),
        ("PUT", "/config", {"compatibility": "UP"}, (422, 42203), LEVEL_WORDS),
        ("PUT", f"/config/{SUBJECT}", {"compatibility": "UP"}, (422, 42203), LEVEL_WORDS),
        ("GET", f"/config/{SUBJECT}", None, (404, 40408), "does not have subject-level compatibility configured"),
        ("DELETE", f"/config/{SUBJECT}", None, (404, 40401), f"Subject '{SUBJECT}' not found."),
        ("PUT", "/mode", {"mode": "SOME"}, (422, 42204), "Invalid mode"),
        ("PUT", f"/mode/{SUBJECT}", {}, (422, 42204), "Invalid mode"),
        ("PUT", f"/mode/{SUBJECT}", {"mode": "IMPORT"}, (422, 42205), "Cannot import since found existing subjects"),
        ("GET", f"/mode/{SUBJECT}", None, (404, 40409), "does not have subject-level mode configured"),
        ("DELETE", f"/mode/{SUBJECT}", None, (404, 40401), f"Subject '{SUBJECT}' not found."),
        ("DELETE", f"/subjects/{OTHER}", None, (422, 42206), "references exist"),
        ("DELETE", f"/subjects/{OTHER}/versions/1", None, (422, 42206), "references exist"),
        ("DELETE", f"/subjects/{SUBJECT}?permanent=true", None, (404, 40405), "was not deleted first before being"),
        ("DELETE", f"{REGISTER}/1?permanent=true", None, (404, 40407), "was not deleted first before being"),
    ],
)
async def test_each_refusal_has_confluents_status_code_and_words(filled, method, path, body, error, words):
    """Every error is JSON with `error_code` and `message`."""
    reply = await filled(method, path, body)
    assert reply.error == error
    assert words in reply.json["message"]
    assert reply.json.keys() == {"error_code", "message"}
    assert reply.headers["content-type"] == raw_http.MEDIA_TYPE


async def test_deleting_twice_is_told(filled):
    """What was soft-deleted goes for good only where that is said."""
    assert (await filled("DELETE", f"{REGISTER}/1")).json == 1
    assert (await filled("DELETE", f"{REGISTER}/1")).error == (404, 40406)
    assert (await filled("DELETE", f"/subjects/{SUBJECT}")).json == [2]
    assert (await filled("DELETE", f"/subjects/{SUBJECT}")).error == (404, 40404)
    assert (await filled("DELETE", f"{REGISTER}/1?permanent=true")).json == 1
    assert (await filled("DELETE", f"/subjects/{SUBJECT}?permanent=true")).json == [2]
    assert (await filled("DELETE", f"/subjects/{SUBJECT}?permanent=true")).error == (404, 40401)


async def test_what_is_deleted_is_told_where_it_is_asked_for(filled):
    """With `deleted`, and marked so; its id resolves all the same."""
    await filled("DELETE", f"{REGISTER}/2")
    marked = {**SECOND, "deleted": True}
    assert (await filled("GET", f"{REGISTER}/2")).error == (404, 40402)
    assert (await filled("GET", f"{REGISTER}/2?deleted=true")).json == marked
    assert (await filled("GET", f"{REGISTER}/1?deleted=true")).json == FIRST
    assert (await filled("POST", f"/subjects/{SUBJECT}", {"schema": V2})).error == (404, 40403)
    assert (await filled("POST", f"/subjects/{SUBJECT}?deleted=true", {"schema": V2})).json == marked
    assert (await filled("GET", f"{REGISTER}?deleted=true")).json == [1, 2]
    assert (await filled("GET", f"{REGISTER}?deletedOnly=true")).json == [2]
    assert (await filled("GET", "/schemas?subjectPrefix=gov.")).json == [FIRST]
    assert (await filled("GET", "/schemas?subjectPrefix=gov.&deleted=true")).json == [FIRST, marked]
    assert (await filled("GET", "/schemas/ids/2/subjects")).json == []
    assert (await filled("GET", "/schemas/ids/2/subjects?deleted=true")).json == [SUBJECT]
    assert (await filled("GET", "/schemas/ids/2/versions?deleted=true")).json == [{"subject": SUBJECT, "version": 2}]
    assert (await filled("GET", "/schemas/ids/2/schema")).json == json.loads(V2)
    await filled("DELETE", f"{REGISTER}/1")
    assert (await filled("GET", "/subjects?deletedOnly=true")).json == [SUBJECT]
    assert (await filled("GET", "/subjects?deleted=true")).json == [SUBJECT, OTHER, "refers"]


async def test_references_metadata_and_rules_are_told_back(filled):
    """At registration, and wherever the schema is told."""
    body = {"schema": REFERS, "references": REFERENCES, "metadata": METADATA, "ruleSet": RULE_SET}
    made = (await filled("POST", "/subjects/full/versions", body)).json
    told = {"references": REFERENCES, "metadata": METADATA, "ruleSet": KEPT_RULES, "schema": REFERS}
    assert made.items() >= {"version": 1, "schemaType": "AVRO", **told}.items()
    placed = {"subject": "full", **made}
    assert (await filled("GET", "/subjects/full/versions/1")).json == placed
    assert (await filled("POST", "/subjects/full", body)).json == placed
    assert (await filled("GET", "/schemas?ruleType=CEL")).json == [placed]
    bare = {name: value for name, value in made.items() if name not in ("id", "version")}
    assert (await filled("GET", f"/schemas/ids/{made['id']}")).json == bare
    assert (await filled("GET", f"/schemas/guids/{made['guid']}")).json == bare


async def test_the_newest_with_metadata_is_found(filled):
    """By all the properties that are asked for."""
    for stage in ("draft", "live"):
        body = {"schema": V1, "metadata": {"properties": {"owner": "customs", "stage": stage}}}
        await filled("POST", "/subjects/staged/versions", body)
    ask = "/subjects/staged/metadata?key=owner&value=customs"
    assert (await filled("GET", ask)).json["version"] == 2
    assert (await filled("GET", f"{ask}&key=stage&value=draft")).json["version"] == 1
    assert (await filled("GET", f"{ask}&key=stage&value=gone")).error == (404, 40403)
    await filled("DELETE", "/subjects/staged/versions/2")
    assert (await filled("GET", f"{ask}&key=stage&value=live&deleted=true")).json["deleted"] is True


async def test_a_schema_can_be_had_with_what_it_refers_to(filled):
    """In the format `resolved`; other formats are the text as it is kept."""
    (field,) = (await filled("GET", "/subjects/refers/versions/1/schema?format=resolved")).json["fields"]
    assert field["type"]["fields"] == json.loads(V1)["fields"]
    for path in ("/schemas/ids/3", "/subjects/refers/versions/1", "/subjects/refers/versions/latest"):
        resolved = (await filled("GET", f"{path}?format=resolved")).json
        assert json.loads(resolved["schema"])["fields"] == [field]
        assert resolved["guid"] == (await filled("GET", path)).json["guid"]
        assert (await filled("GET", f"{path}?format=other")).json["schema"] == REFERS
    assert (await filled("GET", "/schemas/ids/3/schema?format=resolved")).json["fields"] == [field]


async def test_a_primitive_is_told_by_its_name(ask):
    """However it was written."""
    await ask("POST", "/subjects/a/versions", {"schema": '{"type": "string"}'})
    assert (await ask("GET", "/subjects/a/versions/1")).json["schema"] == '"string"'
    assert (await ask("GET", "/schemas/ids/1/schema")).body == b'"string"'


async def test_a_verbose_check_says_why(filled):
    """Each incompatibility with its type and place, the version it is with, and the level."""
    path = f"{CHECK}/{SUBJECT}/versions/latest?verbose=true"
    reply = (await filled("POST", path, {"schema": BAD})).json
    kind, *more = reply["messages"]
    assert reply["is_compatible"] is False
    assert kind.startswith("{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'region_code'")
    assert "{oldSchemaVersion: 2}" in more
    assert f"{{oldSchema: '{V2}'}}" in more


async def test_a_verbose_check_of_an_invalid_schema_says_what_is_wrong(filled):
    """It is not compatible; without `verbose` it is refused."""
    for path in (f"{CHECK}/{SUBJECT}/versions/latest", f"{CHECK}/{SUBJECT}/versions"):
        reply = await filled("POST", f"{path}?verbose=true", {"schema": "{"})
        assert (reply.status, reply.json["is_compatible"]) == (200, False)
        (message,) = reply.json["messages"]
        assert message.startswith("Invalid schema")
        assert (await filled("POST", path, {"schema": "{"})).error == (422, 42201)


async def test_settings_that_were_made_are_told_and_taken_back(filled):
    """PUT, GET, DELETE, and then they are not configured."""
    await filled("PUT", f"/config/{SUBJECT}", {"compatibility": "FULL", "normalize": True})
    configured = {"normalize": True, "compatibilityLevel": "FULL"}
    assert (await filled("GET", f"/config/{SUBJECT}")).json == configured
    changed = await filled("PUT", f"/config/{SUBJECT}", {"defaultMetadata": METADATA, "compatibility": None})
    assert changed.json == {"normalize": True, "defaultMetadata": METADATA}
    assert (await filled("DELETE", f"/config/{SUBJECT}")).json == {"normalize": True, "defaultMetadata": METADATA}
    assert (await filled("GET", f"/config/{SUBJECT}")).error == (404, 40408)
    assert (await filled("PUT", f"/mode/{SUBJECT}", {"mode": "readonly"})).json == {"mode": "readonly"}
    assert (await filled("GET", f"/mode/{SUBJECT}")).json == {"mode": "READONLY"}
    assert (await filled("POST", REGISTER, {"schema": '"int"'})).error == (422, 42205)
    assert (await filled("DELETE", f"/mode/{SUBJECT}")).json == {"mode": "READONLY"}
    assert (await filled("GET", f"/mode/{SUBJECT}")).error == (404, 40409)
    await filled("PUT", "/mode", {"mode": "READONLY"})
    assert (await filled("DELETE", "/mode")).json == {"mode": "READONLY"}
    assert (await filled("GET", "/mode")).json == {"mode": "READWRITE"}


async def test_other_kinds_of_schemas_in_the_topic_are_told_as_what_they_are(store, ask):
    """What Confluent's registry wrote is answered with its type and references."""
    references = [{"name": "o.proto", "subject": "o-value", "version": 1}]
    key = {"keytype": "SCHEMA", "subject": "p-value", "version": 1, "magic": 1}
    value = {"subject": "p-value", "version": 1, "id": 4, "schema": "message P {}", "schemaType": "PROTOBUF"}
    record = {**value, "references": references, "deleted": False}
    store.log.write([(json.dumps(key).encode(), json.dumps(record).encode())])
    found = (await ask("GET", "/schemas/ids/4")).json
    assert found.pop("guid")
    assert found == {"schema": "message P {}", "schemaType": "PROTOBUF", "references": references}
    found = (await ask("GET", "/subjects/p-value/versions/latest")).json
    assert found.pop("guid")
    assert found == {**value, "references": references}


@pytest.mark.parametrize(
    ("failure", "error", "words"),
    [
        (TransportError("out of the ordinary"), (500, 50001), "out of the ordinary"),
        (TransportError("Leader not known.", code="leader_unknown"), (500, 50004), "Leader not known."),
        (TransportError("forwarding", code="forwarding_failed"), (500, 50003), "forwarding"),
        (BrokerUnreachable("Kafka does not answer"), (500, 50002), "Kafka does not answer"),
        (PeerUnreachable("the leader does not answer"), (500, 50003), "the leader does not answer"),
        (RecordTooLarge("too large"), (422, 42209), "Register operation failed because schema is too large"),
        (DirectoryExpired("the directory expired"), (503, 50301), "the directory expired"),
        (ExchangeError("out of order"), (422, 42201), "out of order"),
        (ZeroDivisionError("secret"), (500, 50001), "Error in the backend data store"),
    ],
)
async def test_a_failure_of_a_write_is_answered(service, failure, error, words):
    """With Confluent's codes, and nothing of the inside."""

    class Failing:
        async def write(self, request, execute):
            raise failure

    listen = f"127.0.0.1:{free_port()}"
    async with serve(build_app(service, OpenWrites(), Failing()), listen):
        reply = await raw_http.ask(f"http://{listen}", "POST", REGISTER, {"schema": V1})
    assert reply.error == error
    assert words in reply.json["message"]
    assert b"secret" not in reply.body


async def test_until_it_is_ready_everything_is_503():
    """A registry that has not read its topic answers nothing from half a state."""
    listen = f"127.0.0.1:{free_port()}"
    url = f"http://{listen}"
    async with serve(build_app(RegistryService(MemorySchemaStore()), OpenWrites()), listen):
        for path in ("/", "/subjects", "/schemas/ids/1"):
            assert (await raw_http.ask(url, "GET", path)).error == (503, 50301)
        assert (await raw_http.ask(url, "GET", "/readyz")).status == 503
        assert (await raw_http.ask(url, "GET", "/healthz")).status == 200


async def test_it_tells_which_cluster_holds_it(service):
    """As Confluent's tells it."""
    listen = f"127.0.0.1:{free_port()}"
    async with serve(build_app(service, OpenWrites(), kafka_cluster="q1Sh-9_8Sg2"), listen):
        reply = await raw_http.ask(f"http://{listen}", "GET", "/v1/metadata/id")
    clusters = {"kafka-cluster": "q1Sh-9_8Sg2", "schema-registry-cluster": "schema-registry"}
    assert reply.json == {"id": "", "scope": {"path": [], "clusters": clusters}}


async def test_requests_and_schemas_are_counted(filled):
    """By route, never by subject; and the schemas there are."""
    labels = {"route": "/subjects/{subject}/versions/{version}", "status": "404"}
    before = REGISTRY.get_sample_value("exchange_registry_requests_total", labels) or 0
    await filled("GET", "/subjects/none/versions/1")
    await filled("GET", "/contexts/.none/subjects/none/versions/1")
    assert REGISTRY.get_sample_value("exchange_registry_requests_total", labels) == before + 2
    assert REGISTRY.get_sample_value("exchange_registry_schemas") == 3
    metrics = (await filled("GET", "/metrics")).body.decode()
    assert "exchange_registry_registrations_total" in metrics
    assert SUBJECT not in metrics
