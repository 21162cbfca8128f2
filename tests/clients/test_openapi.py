"""`docs/reference/registry.yaml`: it names the routes that there are, and a running registry keeps to it."""

import re
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from ruamel.yaml import YAML
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.clients.registry_thread import registry_at
from tests.clients.rest import EACH_OF_TEN, ONE, OTHER, TWO, Rest, record
from tests.fakes.schema_store import MemorySchemaStore

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "reference" / "registry.yaml"
CONTENT = YAML(typ="safe").load(DOCUMENT)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
KNOWN = {
    "subject": ["s", "t", ":.ctx:s", ":.ctx:", ":.:", "gone"],
    "version": ["1", "2", "latest", "-1"],
    "id": [1, 2, 3],
    "context": [".ctx", ":.:", ".none"],
}
SCHEMAS = [ONE, TWO, OTHER, '"string"', '{"type":"array","items":"s.T"}', record("g"), *EACH_OF_TEN]


def with_one_kind_of_body(content):
    """The document with one media type for each body: the others, which are read alike, make four times the cases."""
    bodies = content["components"]["requestBodies"]
    alike = {name: {**each, "content": dict([*each["content"].items()][:1])} for name, each in bodies.items()}
    return {**content, "components": {**content["components"], "requestBodies": alike}}


load_all_checks()
document = schemathesis.openapi.from_dict(with_one_kind_of_body(CONTENT))


def methods_of_document():
    """Each method and path that the document names."""
    verbs = {"get", "post", "put", "delete"}
    return {(verb.upper(), path) for path, item in CONTENT["paths"].items() for verb in item if verb in verbs}


def methods_of_app():
    """Each method and path that the registry's code gives a handler."""
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "exchange" / "registry").rglob("*.py")))
    return set(re.findall(r'\("(GET|POST|PUT|DELETE)", "(/[^"]*)"', source))


def test_the_document_names_the_routes():
    """Every route is in the document, and every path of the document is a route."""
    assert methods_of_document() == methods_of_app()


@pytest.mark.parametrize("path", CONTENT["paths"])
def test_a_path_has_the_methods_of_the_document(path, url):
    """What `OPTIONS` tells of a path is what the document names there."""
    segments = re.sub(r"[{}]", "", path.replace("{id}", "1"))[1:].split("/")
    allowed = Rest(url).raw("OPTIONS", *segments).headers["allow"]
    told = {each.strip() for each in allowed.split(",")} - {"HEAD", "OPTIONS"}
    assert told == {verb for verb, each in methods_of_document() if each == path}


def test_every_answer_is_described():
    """Every operation has an answer, an id of its own, and names what keeps the registry from answering."""
    operations = [CONTENT["paths"][path][verb.lower()] for verb, path in methods_of_document()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    for each in operations:
        assert {"200", "204"} & set(each["responses"])
        assert "503" in each["responses"]
        assert ("415" in each["responses"]) == ("requestBody" in each)


@pytest.fixture(scope="module")
def url():
    """Where a registry with some of everything is served."""
    with registry_at(MemorySchemaStore) as url:
        rest = Rest(url)
        for subject, schema in (("s", ONE), ("s", TWO), ("t", ONE), (":.ctx:s", ONE), ("gone", record("g"))):
            rest.register(subject, schema)
        rest.register("u", record(("r", "myrecord"), name="U"), references=[reference()])
        rest.delete("subjects", "gone")
        rest.level("FULL", "s")
        yield url
        rest.close()


def reference():
    """A reference to a schema that is there."""
    return {"name": "myrecord", "subject": "s", "version": 1}


def with_known_values(case, draw):
    """Two thirds of the cases speak of what is there, so that they get past the first refusal."""
    for name, values in KNOWN.items():
        given = (case.path_parameters or {}).get(name)
        if given in ("", ".", "..") or (given is not None and draw % 3):  # clients make another path of these
            case.path_parameters[name] = values[draw % len(values)]
    if isinstance(case.body, dict) and "schema" in case.body and draw % 4:
        case.body["schema"] = SCHEMAS[draw % len(SCHEMAS)]
        if draw % 5 and "references" in case.body:
            case.body["references"] = [reference()]
        for name in ("id", "version", "schemaType"):
            if draw % 7:
                case.body.pop(name, None)
    return case


@document.parametrize()
@settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_are_those_of_the_document(case, url):
    """Whatever is sent, the answer is no server error, and has a status, a type and a body that the document names."""
    draw = sum(map(ord, f"{case.path_parameters}{case.query}{case.body}"))
    case = with_known_values(case, draw)
    case.call_and_validate(base_url=url, checks=CHECKS, timeout=20.0)
