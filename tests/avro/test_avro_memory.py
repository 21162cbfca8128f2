"""Schemas that were read lately are remembered, and never more than there is room for."""

import gc
import json
import threading
import weakref

import pytest

from exchange.avro import ParsedSchemas
from exchange.errors import SchemaInvalid


def text(number, size=0):
    """A schema of about a size."""
    return json.dumps({"type": "record", "name": f"R{number}", "fields": [], "doc": "x" * size})


def test_a_schema_is_read_once():
    """The second time it is the same object; with other references it is another."""
    parsed = ParsedSchemas()
    assert parsed.parse(text(1)) is parsed.parse(text(1))
    assert parsed.parse('"R1"', [text(1)]) is parsed.parse('"R1"', (text(1),))
    assert parsed.parse('"R1"', [text(1)]) is not parsed.parse('"R1"', [text(1, 5)])


def test_what_was_not_asked_for_longest_is_forgotten():
    """There is room for four; the first was asked for again, so the second goes."""
    parsed = ParsedSchemas(most=4 * 1_500)
    first, second = parsed.parse(text(1, 1_000)), parsed.parse(text(2, 1_000))
    for number in (3, 4, 1, 5):
        parsed.parse(text(number, 1_000))
    assert parsed.parse(text(1, 1_000)) is first
    assert parsed.parse(text(2, 1_000)) is not second


def test_hundreds_of_large_schemas_do_not_stay():
    """Each of 300 kB: only as many live on as there is room for, and none that would drive all others out."""
    parsed = ParsedSchemas(most=1_300_000)
    living = [weakref.ref(parsed.parse(text(number, 300_000))) for number in range(100)]
    larger = [weakref.ref(parsed.parse(text(number, 400_000))) for number in range(5)]
    gc.collect()
    assert sum(each() is not None for each in living) == 4
    assert all(each() is None for each in larger)


def test_what_is_no_schema_is_not_remembered():
    """It is refused each time."""
    parsed = ParsedSchemas()
    for _ in range(2):
        with pytest.raises(SchemaInvalid):
            parsed.parse("nothing")


def test_a_schema_that_is_looked_at_dies_with_it():
    """What comparison builds of a schema belongs to the schema: nothing else keeps it."""
    schema = ParsedSchemas(most=0).parse(text(1))
    structure = weakref.ref(schema)
    assert schema.structure() is schema.structure()
    del schema
    gc.collect()
    assert structure() is None


def test_many_threads_read_the_same_schemas():
    """Whatever the order, each gets the schema it asked for."""
    parsed, wrong = ParsedSchemas(most=5_000), []

    def read(start):
        names = ((f"R{number % 30}", text(number % 30, 100)) for number in range(start, start + 200))
        wrong.extend(name for name, each in names if parsed.parse(each).raw["name"] != name)

    threads = [threading.Thread(target=read, args=(start,)) for start in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
