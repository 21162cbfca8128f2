"""Avro: schemas, their canonical form and name, strict values, Confluent framing, compatibility (spec 2)."""

from exchange.avro.framing import frame, unframe
from exchange.avro.schema import RegisteredSchema, Schema

__all__ = ["RegisteredSchema", "Schema", "frame", "unframe"]
