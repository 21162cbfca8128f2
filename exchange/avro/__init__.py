"""Avro: schemas, their canonical form and name, strict values, Confluent framing, compatibility (spec 2)."""

from exchange.avro.compatibility import LEVELS, check_compatibility
from exchange.avro.framing import frame, unframe
from exchange.avro.incompatibility import Incompatibility
from exchange.avro.lint import Finding, lint
from exchange.avro.schema import RegisteredSchema, Schema

__all__ = [
    "LEVELS",
    "Finding",
    "Incompatibility",
    "RegisteredSchema",
    "Schema",
    "check_compatibility",
    "frame",
    "lint",
    "unframe",
]
