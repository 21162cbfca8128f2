"""Avro: schemas, their canonical form and name, strict values, Confluent framing, compatibility (spec 2)."""

from exchange.avro.change import Change
from exchange.avro.changes import changes
from exchange.avro.compatibility import LEVELS, check_compatibility
from exchange.avro.framing import frame, unframe
from exchange.avro.from_json import JsonValues, parse_json
from exchange.avro.generate import Style, generate_classes
from exchange.avro.incompatibility import Incompatibility
from exchange.avro.lint import Finding, lint
from exchange.avro.memory import ParsedSchemas
from exchange.avro.schema import RegisteredSchema, Schema
from exchange.avro.words import listed, type_in_words, value_in_words

__all__ = [
    "LEVELS",
    "Change",
    "Finding",
    "Incompatibility",
    "JsonValues",
    "ParsedSchemas",
    "RegisteredSchema",
    "Schema",
    "Style",
    "changes",
    "check_compatibility",
    "frame",
    "generate_classes",
    "lint",
    "listed",
    "parse_json",
    "type_in_words",
    "unframe",
    "value_in_words",
]
