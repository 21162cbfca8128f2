"""Classes that `exchange schema generate` writes, from one program to another."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.avro.avro_strategies import text_of
from tests.avro.generated import DAY, KIND, MONEY, POINT, STYLES, class_of, record
from tests.fakes.bus_world import read_all

SCHEMA = record(("kind", KIND), ("value", MONEY), ("day", DAY), ("at", ["null", POINT], None), name="Valued")


@pytest.mark.parametrize("style", STYLES)
async def test_a_typed_event_arrives_as_it_was_published(world, style):
    """The publisher takes the object, the subscriber's data make the same one again."""
    world.registry.register(f"{world.topic}-value", text_of(SCHEMA))
    made = class_of(SCHEMA, style, topic=world.topic)
    value = {"kind": "URBAN", "value": Decimal("12.500"), "day": dt.date(2026, 11, 28), "at": {"x": 1, "y": 2}}
    events = [made.from_dict(value), made.from_dict({**value, "kind": "OTHER", "at": None})]
    async with world.publisher() as publisher:
        await publisher.open(made)
        for each in events:
            await publisher.publish(each, key="k")
    assert [made.from_dict(each.data) for each in await read_all(world, 2)] == events
