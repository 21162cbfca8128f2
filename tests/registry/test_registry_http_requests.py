"""Queries and bodies: what is read leniently, what is refused, and in which words."""

import asyncio
import json

import pytest

from tests.registry.conftest import V1, V2, schema

VERSION_WORDS = 'is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
TOO_LARGE = {"error_code": 42209, "message": "Register operation failed because schema is too large"}


@pytest.fixture
async def five(ask):
    """Five subjects with one schema each, and three versions of the first."""
    for number in range(5):
        await ask("POST", f"/subjects/s{number}/versions", {"schema": schema(f"f{number}", name=f"uz.R{number}")})
    await ask("PUT", "/config/s0", {"compatibility": "NONE"})
    for number in (1, 2):
        await ask("POST", "/subjects/s0/versions", {"schema": schema(f"g{number}", name="uz.R0")})
    return ask


class TestQueries:
    """Parameters as Confluent's registry reads them."""

    @pytest.mark.parametrize(
        ("query", "answer"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("?offset=3", [3, 4]),
            ("?limit=2", [0, 1]),
            ("?offset=1&limit=2", [1, 2]),
            ("?offset=%2B1&limit=%2B1", [1]),
            ("?offset=9", []),
            ("?offset=-3&limit=1", [0]),
            ("?limit=0", [0, 1, 2, 3, 4]),
            ("?limit=-1", [0, 1, 2, 3, 4]),
            ("?limit=2147483647", [0, 1, 2, 3, 4]),
            ("?limit=", [0, 1, 2, 3, 4]),
            ("?limit=1&limit=2", [0]),
            ("?subjectPrefix=s2", [2]),
            ("?subjectPrefix=%73%32", [2]),
            ("?unknown=1&&=", [0, 1, 2, 3, 4]),
        ],
    )
    async def test_subjects_are_listed_a_page_at_a_time(self, five, query, answer):
        """A page that is negative or empty is all; the first of several values holds."""
        assert (await five("GET", f"/subjects{query}")).json == [f"s{number}" for number in answer]

    @pytest.mark.parametrize("text", ["x", "1.5", "2147483648", "-2147483649", "1_000", "%D9%A1", "0x1", "9" * 5000])
    async def test_a_number_that_is_none_is_not_found(self, five, text):
        """As if the path were nothing."""
        for target in (f"/subjects?limit={text}", f"/schemas?offset={text}", f"/schemas/ids/{text}"):
            reply = await five("GET", target)
            assert (reply.status, reply.json) == (404, {"error_code": 404, "message": "HTTP 404 Not Found"})

    async def test_other_lists_come_in_pages_too(self, five):
        """Versions, schemas, where a schema is."""
        assert (await five("GET", "/subjects/s0/versions?offset=1&limit=1")).json == [2]
        assert [each["id"] for each in (await five("GET", "/schemas?offset=2&limit=3")).json] == [7, 2, 3]
        await five("POST", "/subjects/s9/versions", {"schema": schema("f1", name="uz.R1")})
        assert (await five("GET", "/schemas/ids/2/subjects?offset=1")).json == ["s9"]
        assert (await five("GET", "/schemas/ids/2/versions?limit=1")).json == [{"subject": "s1", "version": 1}]

    @pytest.mark.parametrize(
        ("text", "holds"),
        [
            ("true", True),
            ("TRUE", True),
            ("false", False),
            ("1", False),
            ("yes", False),
            ("", False),
            ("true%20", False),
        ],
    )
    async def test_only_true_is_true(self, five, text, holds):
        """In any case of letters; everything else is false."""
        await five("DELETE", "/subjects/s4")
        found = (await five("GET", f"/subjects?deleted={text}")).json
        assert ("s4" in found) == holds

    async def test_a_thousand_schemas_are_the_most_at_once(self, ask, service):
        """More are asked for page by page."""
        for number in range(1_003):
            body = {"schema": json.dumps({"type": "fixed", "name": f"uz.F{number}", "size": 1})}
            assert (await ask("POST", f"/subjects/s{number:04}/versions", body)).status == 200
        assert len((await ask("GET", "/schemas")).json) == 1_000
        assert len((await ask("GET", "/schemas?limit=5000")).json) == 1_000
        assert len((await ask("GET", "/schemas?offset=1000")).json) == 3
        assert len((await ask("GET", "/subjects")).json) == 1_003


class TestVersions:
    """How the version in a path is read."""

    @pytest.mark.parametrize("text", ["latest", "-1", "LATEST", "3", "+3", "003", "%20latest%20"])
    async def test_it_is_a_number_or_the_newest(self, five, text):
        """In any case of letters, with a sign or zeros before it."""
        assert (await five("GET", f"/subjects/s0/versions/{text}")).json["version"] == 3

    @pytest.mark.parametrize("text", ["0", "-2", "x", "1.0", "2147483648", "9" * 500, "newest"])
    async def test_anything_else_is_no_version(self, five, text):
        """Wherever a version is named."""
        for method, target in (
            ("GET", f"/subjects/s0/versions/{text}"),
            ("GET", f"/subjects/s0/versions/{text}/schema"),
            ("GET", f"/subjects/s0/versions/{text}/referencedby"),
            ("DELETE", f"/subjects/s0/versions/{text}"),
            ("POST", f"/compatibility/subjects/s0/versions/{text}"),
        ):
            reply = await five(method, target, {"schema": V1} if method == "POST" else None)
            assert reply.error == (422, 42202)
            assert reply.json["message"] == f"The specified version '{text}' {VERSION_WORDS}"


class TestBodies:
    """Bodies as JSON of what a route takes."""

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"nonsense",
            b'{"schema": "\xff"}',
            b'{"schema": "\\ud800"}',
            b'{"x":' + b"[" * 100_000,
            b"[]",
            b'"text"',
            b"5",
            b'{"schema": {}}',
            b'{"schema": ["int"]}',
            b'{"schema": "int", "references": {}}',
            b'{"schema": "int", "references": [5]}',
            b'{"schema": "int", "version": "x"}',
            b'{"schema": "int", "metadata": []}',
            b'{"schema": "int", "ruleSet": {"domainRules": [{"kind": "NONE"}]}}',
        ],
    )
    async def test_what_is_not_of_the_kind_is_a_bad_request(self, ask, body):
        """400, where it is registered, looked up or checked."""
        for target in ("/subjects/a/versions", "/subjects/a", "/compatibility/subjects/a/versions"):
            reply = await ask("POST", target, body)
            assert reply.error == (400, 400)
            assert reply.json["message"].startswith("The request's body is not what this route takes: ")
            assert len(reply.body) < 500

    @pytest.mark.parametrize("body", [None, b"", b"  ", b"null"])
    async def test_no_body_is_not_processed(self, ask, body):
        """422 without a number of its own."""
        for method, target in (("POST", "/subjects/a/versions"), ("PUT", "/config"), ("PUT", "/mode/a")):
            reply = await ask(method, target, body)
            assert (reply.error, reply.json["message"]) == ((422, 422), "The request's body must not be null")

    async def test_what_is_not_known_is_passed_over(self, ask):
        """Members of later versions of the interface, at any depth."""
        body = {"schema": V1, "schemaType": "AVRO", "x": {"y": [1]}, "metadata": {"properties": {"a": "b"}, "z": 1}}
        reply = await ask("POST", "/subjects/a/versions", body)
        assert (reply.status, reply.json["metadata"]) == (200, {"properties": {"a": "b"}})

    async def test_what_is_null_is_not_there(self, ask):
        """Clients write every member that they know."""
        names = ("schemaType", "references", "metadata", "ruleSet", "version", "id")
        body = {"schema": V1, **dict.fromkeys(names)}
        assert (await ask("POST", "/subjects/a/versions", body)).status == 200

    async def test_numbers_may_be_written_as_texts(self, ask):
        """As clients without types do."""
        references = [{"name": "uz.R", "subject": "a", "version": "1"}]
        await ask("POST", "/subjects/a/versions", {"schema": V1})
        body = {"schema": schema(("it", "uz.R"), name="uz.S"), "references": references}
        made = await ask("POST", "/subjects/b/versions", body)
        assert (made.status, made.json["references"][0]["version"]) == (200, 1)

    async def test_a_body_past_every_bound_is_too_large(self, ask):
        """Reading stops at the bound."""
        reply = await ask("POST", "/subjects/a/versions", b" " * (9 << 20))
        assert (reply.status, reply.json) == (422, TOO_LARGE)

    async def test_a_body_may_come_in_chunks(self, ask):
        """Without its length before it; broken chunks are a bad request."""
        body = json.dumps({"schema": V2}).encode()
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:], b""))
        chunked = {"content_length": None, "transfer_encoding": "chunked"}
        assert (await ask("POST", "/subjects/a/versions", chunks, **chunked)).status == 200
        assert (await ask("POST", "/subjects/a/versions", b"no chunk", **chunked)).error == (400, 400)

    async def test_a_client_that_leaves_is_no_trouble(self, ask, url):
        """Half a body, and then nothing."""
        _, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(b"POST /subjects/a/versions HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\n\r\n{")
        await writer.drain()
        writer.close()
        assert (await ask("GET", "/subjects")).json == []
