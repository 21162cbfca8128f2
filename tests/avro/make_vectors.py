"""Writes tests/vectors/avro.json: schemas with their canonical form and name, values with their framed bytes.

python tests/avro/make_vectors.py
"""

import json
from decimal import Decimal
from pathlib import Path

from exchange.avro import Schema, frame

PATH = Path(__file__).parents[1] / "vectors" / "avro.json"

TARIFF = {
    "type": "record",
    "name": "CodeListed",
    "namespace": "uz.gov.customs.tariff",
    "doc": "A code of the harmonised tariff nomenclature.",
    "fields": [
        {"name": "code", "type": "string", "doc": "The code."},
        {"name": "names", "type": {"type": "map", "values": "string"}, "doc": "By language."},
        {"name": "level", "type": {"type": "enum", "name": "Level", "symbols": ["CHAPTER", "HEADING"]}},
        {"name": "above", "type": ["null", "Level"], "default": None},
        {"name": "duty", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
    ],
}
SCHEMAS = {
    "a primitive type": '"string"',
    "a primitive type as an object": '{"type": "string"}',
    "a record with a namespace, a type named again, a default and docs": json.dumps(TARIFF),
    "numbers as RFC 8785 writes them": json.dumps(
        {
            "type": "record",
            "name": "N",
            "fields": [
                {"name": "a", "type": "double", "default": 1e21},
                {"name": "b", "type": "double", "default": 0.000001},
                {"name": "c", "type": "long", "default": 2**63 - 1},
            ],
        }
    ),
    "text as RFC 8785 writes it": json.dumps({"type": "string", "doc": '€ $ \n "x" \\ \u0007 ğ'}),
    "a recursive type": json.dumps(
        {"type": "record", "name": "a.Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    ),
    "a type of the empty namespace inside another": json.dumps(
        {
            "type": "record",
            "name": "R",
            "namespace": "n",
            "fields": [{"name": "f", "type": {"type": "fixed", "name": "F", "namespace": "", "size": 2}}],
        }
    ),
}
VALUES = [
    (json.dumps(TARIFF), 1, {"code": "0101", "names": {"uz": "Otlar"}, "level": "HEADING", "above": "CHAPTER"}, "0.75"),
    ('"long"', 2**31 - 1, -64, None),
]


def vectors():
    """The whole document."""
    schemas = [_schema(name, text) for name, text in SCHEMAS.items()]
    return {"spec": "2", "schemas": schemas, "values": [_value(*each) for each in VALUES]}


def _schema(name, text):
    schema = Schema.parse(text)
    return {"name": name, "text": text, "canonical": schema.canonical.decode(), "uri": schema.uri}


def _value(text, schema_id, value, duty):
    """`duty` is the text of a decimal, which JSON has no type for; null where the schema has no such field."""
    framed = frame(schema_id, Schema.parse(text).encode(with_duty(value, duty)))
    return {"schema": text, "id": schema_id, "value": value, "duty": duty, "framed": framed.hex()}


def with_duty(value, duty):
    """The value to encode."""

    return value if duty is None else {**value, "duty": Decimal(duty)}


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n")
