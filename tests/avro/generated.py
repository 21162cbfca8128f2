"""Schemas for generated classes, one for each thing that Python could stumble over, and their classes as modules."""

from __future__ import annotations

import sys
import types
from functools import lru_cache
from itertools import count

from exchange.avro import Schema, generate_classes
from tests.avro.avro_strategies import text_of

TOPIC = "gov.x.y.happened.v1"
STYLES = ("dataclass", "msgspec")
_numbers = count()


def record(*fields, name="Happened", **more):
    """A record of fields given as (name, type) or (name, type, default)."""
    made = [{"name": each[0], "type": each[1]} | ({"default": each[2]} if len(each) > 2 else {}) for each in fields]
    return {"type": "record", "name": name, "namespace": "uz.x", "fields": made, **more}


KIND = {"type": "enum", "name": "Kind", "symbols": ["OTHER", "URBAN"], "default": "OTHER", "doc": 'What "kind"?'}
SPAN = {"type": "fixed", "name": "Span", "size": 12, "logicalType": "duration"}
HASH = {"type": "fixed", "name": "Hash", "size": 3}
MONEY = {"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 3}
DAY = {"type": "int", "logicalType": "date"}
TIME = {"type": "long", "logicalType": "time-micros"}
MOMENT = {"type": "long", "logicalType": "timestamp-micros"}
LOCAL = {"type": "long", "logicalType": "local-timestamp-millis"}
UUID = {"type": "string", "logicalType": "uuid"}
POINT = record(("x", "int"), ("y", "int", 0), name="Point")
AREA = record(("corners", {"type": "array", "items": "uz.x.Point"}), name="Area")
NODE = record(("label", "string"), ("next", ["null", "uz.x.Node"], None), name="Node")

CASES = {
    "nothing": record(),
    "reserved": record(
        ("class", "int"), ("None", "string"), ("self", "int"), ("int", "int"), ("data", "string"), ("cls", "int"),
        ("field", "string", "x"), ("dt", DAY), ("Kind", KIND), ("from_dict", "int"), ("_id", "int"), ("__x", "int"),
        ("_", "int"), ("class_", "int"), ("Any", "int"), ("match", "int"), ("yosh", "int"), ("ёш", "int"),
    ),
    "symbols": record(
        ("kind", {"type": "enum", "name": "Names", "symbols": ["None", "title", "_", "_a_", "__b", "mro", "name", "A"]})
    ),
    "classes": record(
        ("a", record(("n", "int"), name="a.Inner")), ("b", record(("n", "int"), name="b.Inner")),
        ("c", record(("n", "int"), name="UUID")), ("d", record(("n", "int"), name="Self")), ("e", UUID),
    ),
    "scalars": record(
        ("a", "boolean"), ("b", "int"), ("c", "long"), ("d", "float"), ("e", "double"), ("f", "bytes"), ("g", "string"),
        ("h", "null"), ("i", MONEY), ("j", DAY), ("k", TIME), ("l", MOMENT), ("m", LOCAL), ("n", UUID), ("o", HASH),
        ("p", SPAN), ("q", {"type": "int", "logicalType": "time-millis"}), ("r", {"type": "long", "logicalType": "x"}),
    ),
    "defaults": record(
        ("a", "boolean", True), ("b", "int", -7), ("d", "float", 1.5), ("e", "double", "NaN"),
        ("f", "bytes", "\u00ff'\""),
        ("g", "string", "a\"\\\n\u2028ё"), ("h", "null", None), ("i", MONEY, "\u00ff"), ("j", DAY, 1),
        ("k", TIME, 61_000_001),
        ("l", MOMENT, -1), ("m", LOCAL, 1), ("n", UUID, "0198c1f2-7a3b-7def-8123-456789abcdef"), ("o", HASH, "abc"),
        ("p", SPAN, "\u0001\u0000\u0000\u0000\u0002\u0000\u0000\u0000\u0003\u0000\u0000\u0000"), ("q", KIND, "URBAN"),
        ("r", {"type": "array", "items": "string"}, []), ("s", {"type": "array", "items": "uz.x.Kind"}, ["OTHER"]),
        ("t", {"type": "map", "values": DAY}, {}), ("u", {"type": "map", "values": DAY}, {"a": 0}),
        ("v", POINT, {"x": 1}), ("w", ["null", "uz.x.Kind"], None), ("x", ["uz.x.Kind", "null"], "OTHER"),
        ("y", ["null", "uz.x.Point"], None), ("z", ["double", "string"], "Infinity"),
    ),
    "containers": record(
        ("a", {"type": "array", "items": KIND}), ("b", {"type": "map", "values": {"type": "array", "items": POINT}}),
        ("c", {"type": "array", "items": {"type": "array", "items": ["null", "uz.x.Point"]}}),
        ("d", ["null", {"type": "array", "items": "uz.x.Kind"}]), ("e", {"type": "map", "values": SPAN}), ("f", AREA),
    ),
    "unions": record(
        ("a", ["null", "string", KIND]), ("b", [POINT, {"type": "record", "name": "Line", "fields": [
            {"name": "from", "type": "uz.x.Point"}, {"name": "to", "type": "uz.x.Point"}]}, "null"]),
        ("c", ["int", {"type": "array", "items": "uz.x.Kind"}, {"type": "map", "values": "uz.x.Point"}]),
        ("d", ["null", SPAN, MONEY, "string"]), ("e", ["int", "string"]), ("f", ["uz.x.Kind"]), ("g", ["null"]),
        ("h", ["uz.x.Kind", {"type": "enum", "name": "Size", "symbols": ["BIG", "SMALL"]}]),
        ("i", {"type": "array", "items": ["uz.x.Kind", "int"]}),
    ),
    "recursive": record(("tree", NODE), ("list", {"type": "array", "items": "uz.x.Node"}, [])),
    "documented": record(
        ("a", "int"), doc='A "quoted" \\ doc\nof two lines, ' + "very long " * 30 + "\u0007 and with \"\"\"."
    ),
}  # fmt: skip


def module_of(schema, style="dataclass", topic=TOPIC):
    """The generated module, imported."""
    return _module(text_of(schema), style, topic)


def class_of(schema, style="dataclass", topic=TOPIC):
    """The class of a schema's own record."""
    found = vars(module_of(schema, style, topic)).values()
    return next(each for each in found if getattr(each, "__topic__", None) == topic)


@lru_cache(maxsize=64)
def _module(schema, style, topic):
    text = generate_classes(Schema.parse(schema), source="x.avsc", topic=topic, style=style)
    module = types.ModuleType(f"generated_{next(_numbers)}")
    sys.modules[module.__name__] = module
    exec(compile(text, module.__name__, "exec"), module.__dict__)  # noqa: S102
    return module
