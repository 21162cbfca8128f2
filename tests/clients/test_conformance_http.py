"""Media types, methods, bodies and the routes about the server, as a community server answers them."""

import pytest

from tests.clients.rest import JSON, ONE, Refused

KINDS = [JSON, "application/vnd.schemaregistry+json", "application/json"]
UNKNOWN = [
    ("nowhere",),
    ("subjects", "s", "nowhere"),
    ("schemas", "nowhere"),
    ("exporters",),
    ("associations", "resources", "-", "topic"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_of_the_kind_asked_for(registry, kind):
    """`Accept` picks the media type; the body is the same."""
    response = registry.raw("GET", "subjects", headers={"accept": kind})
    assert response.headers["content-type"].split(";")[0] == kind
    assert response.json() == []


@pytest.mark.parametrize("accept", ["*/*", "application/*", f"{JSON}; qs=0.9, application/json", f"text/html, {JSON}"])
def test_an_answer_without_a_wish_is_of_confluents_kind(registry, accept):
    """Where several kinds will do, the registry's own comes first."""
    response = registry.raw("GET", "subjects", headers={"accept": accept})
    assert (response.status_code, response.headers["content-type"].split(";")[0]) == (200, JSON)


@pytest.mark.parametrize("kind", [*KINDS, "application/octet-stream", f"{JSON}; charset=utf-8"])
def test_a_body_may_be_of_several_kinds(registry, kind):
    """Registering works with each media type that Confluent takes."""
    headers = {"content-type": kind}
    response = registry.raw("POST", "subjects", "s", "versions", body={"schema": ONE}, headers=headers)
    assert response.json()["id"] == 1


def test_an_unknown_kind_of_body(registry):
    """A body of another kind is 415, with a JSON body."""
    headers = {"content-type": "text/plain"}
    response = registry.raw("POST", "subjects", "s", "versions", body={"schema": ONE}, headers=headers)
    assert response.status_code == 415
    assert response.json() == {"error_code": 415, "message": "HTTP 415 Unsupported Media Type"}


def test_an_unknown_kind_of_answer(registry):
    """An answer of another kind is 406, with a JSON body."""
    response = registry.raw("GET", "subjects", headers={"accept": "text/html"})
    assert response.status_code == 406
    assert response.json() == {"error_code": 406, "message": "HTTP 406 Not Acceptable"}


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_path(registry, path):
    """A path that there is not is 404, with a JSON body; so are exporters and associations."""
    assert registry.get(*path) == Refused(404, 404, "HTTP 404 Not Found")


@pytest.mark.parametrize(("method", "path"), [("PUT", ("subjects",)), ("DELETE", ("schemas", "ids", "1"))])
def test_a_method_that_a_path_has_not(registry, method, path):
    """It is 405, with a JSON body, and names the methods that the path has."""
    assert registry.call(method, *path) == Refused(405, 405, "HTTP 405 Method Not Allowed")
    assert "GET" in registry.raw(method, *path).headers["allow"]


@pytest.mark.parametrize("path", [("config", ""), ("subjects", ""), ("schemas", "types", "")])
def test_a_slash_at_the_end(registry, path):
    """A path with a slash at its end is the path without."""
    assert registry.get(*path) == registry.get(*path[:-1])


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b"17", b'"schema"', b'{"schema": 5, "id": "x"}', b"\xff", b"null"])
def test_a_body_that_is_none(registry, body):
    """What is no JSON object, or has members of other types, is 400 or 422, with a JSON body."""
    refused = registry.call("POST", "subjects", "s", "versions", body=body)
    assert isinstance(refused, Refused)
    assert refused.status in (400, 422)


def test_unknown_members_are_passed_over(registry):
    """What a newer client sends besides does not hinder."""
    assert registry.register("s", ONE, novelty={"a": 1}) == 1


def test_a_head_has_the_answer_of_a_get_without_its_body(registry):
    """HEAD answers where GET does."""
    response = registry.raw("HEAD", "subjects")
    assert (response.status_code, response.content) == (200, b"")


def test_the_root_is_an_empty_object(registry):
    """GET and POST of `/` answer `{}`: what a client pings."""
    assert registry.get("") == {}
    assert registry.post("", body={}) == {}


def test_the_server_tells_its_cluster(registry):
    """`/v1/metadata/id` has the form that Confluent's tools read."""
    body = registry.get("v1", "metadata", "id")
    assert body["id"] == ""
    assert body["scope"]["path"] == []
    assert set(body["scope"]["clusters"]) == {"kafka-cluster", "schema-registry-cluster"}


def test_the_server_tells_its_version(registry):
    """`/v1/metadata/version` has a version and a commit."""
    body = registry.get("v1", "metadata", "version")
    assert set(body) == {"version", "commitId"}
    assert all(isinstance(each, str) for each in body.values())
