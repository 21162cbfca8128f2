"""Generated schemas, and values of them."""

import datetime as dt
import json
import uuid
from decimal import Decimal

from hypothesis import strategies as st

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
KINDS = ["enum", "fixed", "record", "union", "array", "map"]
PLAIN = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
LOGICAL = [
    {"type": "int", "logicalType": "date"},
    {"type": "int", "logicalType": "time-millis"},
    {"type": "long", "logicalType": "time-micros"},
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "long", "logicalType": "timestamp-micros"},
    {"type": "long", "logicalType": "local-timestamp-micros"},
    {"type": "string", "logicalType": "uuid"},
    {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3},
]


class _Names:
    """Names that are never given twice within one schema."""

    def __init__(self):
        self.count = 0

    def take(self):
        self.count += 1
        return f"T{self.count}"


@st.composite
def schemas(draw, logical=True):
    """A record of up to six fields, of types nested three deep."""
    names = _Names()
    return _record(draw, names, 3, logical) | {"namespace": draw(st.sampled_from(["uz.gov", "a", ""]))}


def _type(draw, names, depth, logical):
    kind = draw(st.sampled_from(["leaf", "leaf", "leaf", *(KINDS if depth else [])]))
    if kind == "leaf":
        return draw(st.sampled_from([*PLAIN[1:], *(LOGICAL if logical else [])]))
    if kind == "enum":
        return {"type": "enum", "name": names.take(), "symbols": draw(_symbols())}
    if kind == "fixed":
        return {"type": "fixed", "name": names.take(), "size": draw(st.integers(1, 9))}
    if kind == "record":
        return _record(draw, names, depth - 1, logical)
    inner = _type(draw, names, depth - 1, logical)
    if kind == "union":
        return inner if isinstance(inner, list) else ["null", inner]
    return {"type": "array", "items": inner} if kind == "array" else {"type": "map", "values": inner}


def _symbols():
    return st.lists(NAMES, min_size=1, max_size=4, unique=True)


def _record(draw, names, depth, logical):
    fields = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    name = names.take()
    made = [{"name": field, "type": _type(draw, names, depth, logical), "doc": "A field."} for field in fields]
    return {"type": "record", "name": name, "fields": made}


def values_of(schema):
    """Values that fit a schema and come back equal."""
    if isinstance(schema, list):
        return st.one_of(*map(values_of, schema))
    if isinstance(schema, str):
        return VALUES[schema]
    kind = schema["type"]
    if kind in ("record", "error"):
        return st.fixed_dictionaries({field["name"]: values_of(field["type"]) for field in schema["fields"]})
    if kind == "array":
        return st.lists(values_of(schema["items"]), max_size=3)
    if kind == "map":
        return st.dictionaries(st.text(max_size=4), values_of(schema["values"]), max_size=3)
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "fixed":
        return st.binary(min_size=schema["size"], max_size=schema["size"])
    return VALUES[schema.get("logicalType", kind)]


def text_of(schema):
    """A schema's JSON."""
    return json.dumps(schema)


_moments = st.datetimes(dt.datetime.fromisoformat("0001-01-02"), dt.datetime.fromisoformat("9999-12-30"))
VALUES = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": st.binary(max_size=20),
    "string": st.text(max_size=20),
    "date": st.dates(),
    "time-millis": st.times().map(lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)),
    "time-micros": st.times(),
    "timestamp-millis": _moments.map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=dt.UTC)
    ),
    "timestamp-micros": _moments.map(lambda moment: moment.replace(tzinfo=dt.UTC)),
    "local-timestamp-micros": _moments,
    "uuid": st.uuids(),
    "decimal": st.integers(-(10**11), 10**11).map(lambda unscaled: Decimal(unscaled).scaleb(-3)),
}
UUID = uuid.UUID("0198c1f2-7a3b-7def-8123-456789abcdef")
