"""How paths are read: split before they are decoded, with prefixes for contexts, and other names for subjects."""

import json

import pytest

from tests.registry.conftest import V1, V2, schema

METHODS = {
    "/": "GET,HEAD,OPTIONS,POST",
    "/subjects": "GET,HEAD,OPTIONS",
    "/subjects/a": "DELETE,OPTIONS,POST",
    "/subjects/a/versions": "GET,HEAD,OPTIONS,POST",
    "/subjects/a/versions/1": "DELETE,GET,HEAD,OPTIONS",
    "/compatibility/subjects/a/versions/1": "OPTIONS,POST",
    "/config/a": "DELETE,GET,HEAD,OPTIONS,PUT",
    "/contexts/.a": "DELETE,GET,HEAD,OPTIONS,POST",
}


@pytest.mark.parametrize(
    ("target", "subject"),
    [
        ("a%2Fb%2f-value", "a/b/-value"),
        ("a%20b", "a b"),
        ("a+b", "a+b"),
        ("%D0%B7%D0%B0%D0%BA%D0%BE%D0%BD-value", "закон-value"),
        ("закон-value", "закон-value"),
        ("..", ".."),
        ("*", "*"),
        ("versions", "versions"),
        ("contexts", "contexts"),
        ("a%25zz", "a%zz"),
        ("a%3Fb%23c", "a?b#c"),
    ],
)
async def test_a_subject_is_what_its_segment_says(ask, target, subject):
    """Slashes, spaces, letters of any script and what else is encoded belong to the name."""
    assert (await ask("POST", f"/subjects/{target}/versions", {"schema": V1})).status == 200
    assert (await ask("GET", "/subjects")).json == [subject]
    found = await ask("GET", f"/subjects/{target}/versions/latest")
    assert (found.status, found.json["subject"]) == (200, subject)


@pytest.mark.parametrize("target", ["/subjects/a%zz/versions", "/subjects/a%/versions", "/subjects/%ff/versions"])
async def test_a_broken_escape_is_a_bad_request(ask, target):
    """Nothing is guessed."""
    reply = await ask("GET", target)
    assert (reply.status, reply.json) == (400, {"error_code": 400, "message": "HTTP 400 Bad Request"})


async def test_a_name_with_control_characters_is_refused(ask):
    """NUL is no part of a subject's name."""
    for method, target in (("POST", "/subjects/a%00b/versions"), ("PUT", "/config/a%0Ab")):
        body = {"schema": V1, "compatibility": "NONE"}
        assert (await ask(method, target, body)).error == (422, 42208)


@pytest.mark.parametrize("target", ["/subjects/", "//subjects", "/subjects//a//versions/", "http://elsewhere/subjects"])
async def test_empty_segments_do_not_count(ask, target):
    """Slashes at the end and repeated ones are passed over, and a whole URL is its path."""
    await ask("POST", "/subjects/a/versions", {"schema": V1})
    assert (await ask("GET", target)).json in (["a"], [1])


@pytest.mark.parametrize(
    "target",
    [
        "/nothing",
        "/subjects/a/nothing",
        "/subjects/a/versions/1/nothing",
        "/schemas/ids",
        "/schemas/ids/1/nothing",
        "/Subjects",
        "/%73ubjects",
        "/exporters",
        "/exporters/mirror/status",
        "/associations/subjects/a",
        "/contexts/.a/nothing",
        "*",
    ],
)
async def test_a_path_that_is_nothing_is_not_found(ask, target):
    """Exporters and associations are none of a community server's."""
    for method in ("GET", "POST", "OPTIONS"):
        reply = await ask(method, target)
        assert (reply.status, reply.json) == (404, {"error_code": 404, "message": "HTTP 404 Not Found"})


@pytest.mark.parametrize("target", METHODS)
async def test_a_method_that_a_path_has_not_is_not_allowed(ask, target):
    """The answer lists those it has, and so does OPTIONS."""
    for method in ("PATCH", "TRACE", "ANYTHING"):
        reply = await ask(method, target)
        assert (reply.status, reply.json) == (405, {"error_code": 405, "message": "HTTP 405 Method Not Allowed"})
        assert reply.headers["allow"] == METHODS[target]
    options = await ask("OPTIONS", target)
    assert (options.status, options.headers["allow"], options.body) == (200, METHODS[target], b"")


async def test_head_is_get_without_its_body(ask):
    """Status and headers are the same, also of an error."""
    await ask("POST", "/subjects/a/versions", {"schema": V1})
    for target in ("/subjects", "/schemas/ids/1", "/schemas/ids/2"):
        got, head = await ask("GET", target), await ask("HEAD", target)
        assert (head.status, head.body) == (got.status, b"")
        for name in ("content-type", "content-length"):
            assert head.headers[name] == got.headers[name]


class TestContexts:
    """The prefix `/contexts/{context}` puts what follows it into a context."""

    @pytest.fixture
    async def two(self, ask):
        """One schema in the default context, and two in `.a`."""
        await ask("POST", "/subjects/s/versions", {"schema": V1})
        await ask("POST", "/contexts/.a/subjects/s/versions", {"schema": V1})
        await ask("POST", "/subjects/:.a:s/versions", {"schema": V2})
        return ask

    @pytest.mark.parametrize(
        ("target", "answer"),
        [
            ("/contexts", [".", ".a"]),
            ("/contexts?offset=1", [".a"]),
            ("/contexts/.a/contexts", [".", ".a"]),
            ("/contexts/.a", {}),
            ("/contexts/.a/", {}),
            ("/subjects", [":.a:s", "s"]),
            ("/subjects?subjectPrefix=", ["s"]),
            ("/subjects?subjectPrefix=:.a:", [":.a:s"]),
            ("/contexts/.a/subjects", [":.a:s"]),
            ("/contexts/a/subjects", [":.a:s"]),
            ("/contexts/:.a:/subjects", [":.a:s"]),
            ("/contexts/%3A.a%3A/subjects", [":.a:s"]),
            ("/contexts/./subjects", ["s"]),
            ("/contexts/:.:/subjects", ["s"]),
            ("/contexts/.a/subjects?subjectPrefix=s", [":.a:s"]),
            ("/contexts/.a/subjects?subjectPrefix=t", []),
            ("/contexts/.a/subjects?subjectPrefix=:*:", [":.a:s", "s"]),
            ("/contexts/.a/subjects/s/versions", [1, 2]),
            ("/contexts/.b/subjects/:.a:s/versions", [1, 2]),
            ("/contexts/.b/subjects/%3A.a%3As/versions", [1, 2]),
            ("/contexts/./subjects/s/versions", [1]),
            ("/subjects/:.:s/versions", [1]),
            ("/contexts/.a/schemas/ids/2/subjects", [":.a:s"]),
            ("/contexts/.a/schemas/ids/1/versions", [{"subject": ":.a:s", "version": 1}]),
            ("/contexts/.a/schemas/ids/2/schema", json.loads(V2)),
            ("/contexts/.a/schemas/types", ["AVRO"]),
        ],
    )
    async def test_everything_under_it_is_of_the_context(self, two, target, answer):
        """Subjects, prefixes and ids; a name that says another context keeps it."""
        reply = await two("GET", target)
        assert (reply.status, reply.json) == (200, answer)

    async def test_a_schema_is_told_with_its_context(self, two):
        """Where the context was asked for, also its place."""
        assert (await two("GET", "/contexts/.a/schemas/ids/2")).json["subject"] == ":.a:s"
        assert [each["subject"] for each in (await two("GET", "/contexts/.a/schemas")).json] == [":.a:s", ":.a:s"]
        assert [each["subject"] for each in (await two("GET", "/contexts/./schemas")).json] == ["s"]

    async def test_settings_under_it_are_the_contexts(self, two):
        """Of the whole context, or of a subject in it; the default one's are the registry's."""
        await two("PUT", "/contexts/.a/config", {"compatibility": "NONE"})
        await two("PUT", "/contexts/.a/mode/s", {"mode": "READONLY"})
        await two("PUT", "/contexts/./config", {"compatibility": "FULL"})
        assert (await two("GET", "/config/:.a:")).json == {"compatibilityLevel": "NONE"}
        assert (await two("GET", "/contexts/.a/config")).json == {"compatibilityLevel": "NONE"}
        assert (await two("GET", "/mode/:.a:s")).json == {"mode": "READONLY"}
        for target in ("/config", "/config/:.:"):
            assert (await two("GET", target)).json == {"compatibilityLevel": "FULL"}

    async def test_a_lookup_and_a_check_under_it_are_of_the_context(self, two):
        """POST as well as GET."""
        found = await two("POST", "/contexts/.a/subjects/s", {"schema": V2})
        assert (found.json["subject"], found.json["version"]) == (":.a:s", 2)
        incompatible = {"schema": schema("code", ("more", "int"))}
        reply = await two("POST", "/contexts/.a/compatibility/subjects/s/versions/latest", incompatible)
        assert reply.json == {"is_compatible": False}

    async def test_a_context_with_a_colon_inside_is_a_bad_request(self, ask):
        """No context is called so."""
        assert (await ask("GET", "/contexts/a:b/subjects")).error == (400, 400)

    async def test_an_empty_context_can_be_deleted(self, two):
        """One that holds anything cannot."""
        assert (await two("DELETE", "/contexts/.a")).error == (422, 42211)
        for query in ("", "?permanent=true"):
            assert (await two("DELETE", f"/contexts/.a/subjects/s{query}")).json == [1, 2]
        deleted = await two("DELETE", "/contexts/:.a:")
        assert (deleted.status, deleted.body) == (204, b"")
        assert "content-type" not in deleted.headers
        assert (await two("GET", "/contexts")).json == ["."]


class TestAliases:
    """A subject that is configured as another name for one is that one wherever a path or a query names it."""

    @pytest.fixture
    async def aliased(self, ask):
        """`b` stands for `a`, and `:.c:b` for `:.c:a`."""
        await ask("POST", "/subjects/a/versions", {"schema": V1})
        await ask("PUT", "/config/b", {"alias": "a"})
        await ask("PUT", "/config/:.c:b", {"alias": "a"})
        return ask

    async def test_it_is_read_and_written_under_either_name(self, aliased):
        """Listing, reading, looking up, registering, checking, deleting."""
        assert (await aliased("POST", "/subjects/b/versions", {"schema": V2})).json["version"] == 2
        assert (await aliased("GET", "/subjects/b/versions")).json == [1, 2]
        assert (await aliased("GET", "/subjects/b/versions/2")).json["subject"] == "a"
        assert (await aliased("POST", "/subjects/b", {"schema": V1})).json["subject"] == "a"
        assert (await aliased("GET", "/schemas/ids/1?subject=b")).json["subject"] == "a"
        check = await aliased("POST", "/compatibility/subjects/b/versions/1", {"schema": '"string"'})
        assert check.json == {"is_compatible": False}
        assert (await aliased("DELETE", "/subjects/b/versions/1")).json == 1
        assert (await aliased("DELETE", "/subjects/b")).json == [2]
        assert (await aliased("GET", "/subjects")).json == []

    async def test_it_stays_in_its_context(self, aliased):
        """What a name in a context stands for is in that context."""
        made = await aliased("POST", "/contexts/.c/subjects/b/versions", {"schema": V2})
        assert made.status == 200
        assert (await aliased("GET", "/contexts/.c/subjects")).json == [":.c:a"]

    async def test_its_own_settings_are_its_own(self, aliased):
        """The alias is changed under its own name."""
        assert (await aliased("GET", "/config/b")).json == {"alias": "a"}
        await aliased("DELETE", "/config/b")
        assert (await aliased("GET", "/subjects/b/versions")).error == (404, 40401)

    async def test_schemas_are_listed_with_the_names_that_stand_for_them(self, aliased):
        """Where that is asked for, and found by them."""
        assert "aliases" not in (await aliased("GET", "/schemas")).json[0]
        assert (await aliased("GET", "/schemas?aliases=true")).json[0]["aliases"] == ["b"]
        assert [each["subject"] for each in (await aliased("GET", "/schemas?subjectPrefix=b&aliases=true")).json] == [
            "a"
        ]
