"""Schemas that are large, wide or deep over HTTP: each is answered, and reads go on meanwhile."""

import asyncio
import json

import pytest

from tests.registry.conftest import SUBJECT, V1, schema

REGISTER = f"/subjects/{SUBJECT}/versions"
CHECK = f"/compatibility/subjects/{SUBJECT}/versions/latest"


@pytest.mark.parametrize("levels", [1_000, 50_000])
async def test_a_schema_nested_too_deep_is_invalid(ask, levels):
    """Depth is answered, not suffered."""
    text = '{"type":"array","items":' * levels + '"int"' + "}" * levels
    for path in (REGISTER, CHECK):
        reply = await ask("POST", path, {"schema": text})
        assert reply.error == (422, 42201)
        assert len(reply.body) < 5000


async def test_a_schema_of_two_megabytes_is_answered(ask):
    """Large schemas are registered, compared and read; and broken ones are invalid."""
    fields = [{"name": f"field_{number}", "type": "string", "doc": "x" * 900} for number in range(2200)]
    large = schema(*fields)
    assert len(large) > 2_000_000
    assert (await ask("POST", REGISTER, {"schema": large})).json["id"] == 1
    assert (await ask("GET", "/schemas/ids/1")).json["schema"] == large
    grown = schema(*fields, ("more", "int"))
    assert (await ask("POST", REGISTER, {"schema": grown})).status == 409
    assert (await ask("POST", REGISTER, {"schema": large[:-1]})).error == (422, 42201)


async def test_an_enum_of_a_hundred_thousand_symbols_is_answered(ask):
    """Wide is as fine as deep is not."""
    symbols = [f"S{number}" for number in range(100_000)]
    text = json.dumps({"type": "enum", "name": "E", "symbols": symbols})
    assert (await ask("POST", REGISTER, {"schema": text})).json["id"] == 1
    twice = json.dumps({"type": "enum", "name": "E", "symbols": [*symbols, "S7"]})
    assert (await ask("POST", REGISTER, {"schema": twice})).status == 422


async def test_reads_are_answered_while_a_large_schema_is_checked(ask):
    """Work on the processor is done beside the event loop."""
    await ask("POST", REGISTER, {"schema": V1})
    large = schema(*({"name": f"f{number}", "type": "string"} for number in range(15_000)))
    checking = asyncio.create_task(ask("POST", CHECK, {"schema": large}))
    reads = 0
    while not checking.done():
        assert (await ask("GET", "/schemas/ids/1")).status == 200
        reads += 1
    assert (await checking).json == {"is_compatible": False}
    assert reads > 3
