"""Confluent's framing of an Avro value (spec 2).

value = 0x00 ‖ schema id (int32, big endian) ‖ Avro binary
"""

from __future__ import annotations

import struct

from exchange.errors import SchemaMismatch

_HEADER = struct.Struct(">bi")
_MAGIC = 0


def frame(schema_id: int, payload: bytes) -> bytes:
    """The framed value of one Avro payload; `schema_id` is 0 to 2^31-1."""
    return _HEADER.pack(_MAGIC, schema_id) + payload


def unframe(value: bytes) -> tuple[int, memoryview]:
    """The schema id and the Avro payload (a view, nothing is copied); raises SchemaMismatch."""
    if len(value) < _HEADER.size:
        raise SchemaMismatch(f"a framed value has at least 5 bytes, this one has {len(value)}")
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != _MAGIC:
        raise SchemaMismatch(f"a framed value starts with 0x00, this one with 0x{magic & 0xFF:02x}")
    if schema_id < 0:
        raise SchemaMismatch(f"schema id {schema_id} is negative")
    return schema_id, memoryview(value)[_HEADER.size :]
