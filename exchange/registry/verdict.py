"""The registry's answers about compatibility, in Confluent's words, and then in plain ones."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.avro import Incompatibility
from exchange.registry.entities import SchemaVersion

_DESCRIPTIONS = {
    "FIXED_SIZE_MISMATCH": "The size of FIXED type field at path '{path}' in the {reader} schema does not match with "
    "the {writer} schema",
    "TYPE_MISMATCH": "The type (path '{path}') of a field in the {reader} schema does not match with the {writer} "
    "schema",
    "NAME_MISMATCH": "The name of the schema has changed (path '{path}')",
    "MISSING_ENUM_SYMBOLS": "The {reader} schema is missing enum symbols '{detail}' at path '{path}' in the {writer} "
    "schema",
    "MISSING_UNION_BRANCH": "The {reader} schema is missing a type inside a union field at path '{path}' in the "
    "{writer} schema",
    "READER_FIELD_MISSING_DEFAULT_VALUE": "The field '{detail}' at path '{path}' in the {reader} schema has no "
    "default value and is missing in the {writer} schema",
}

_LONGEST = 10 * 1024
"""How much of the earlier schema is shown."""


def messages(found: Sequence[Incompatibility], earlier: Sequence[SchemaVersion], level: str) -> list[str]:
    """The `messages` of a verbose check; empty for none found. The last one says it in plain words."""
    if not found:
        return []
    lines = [_described(each) for each in found]
    if not level.startswith("FULL") or any(each.reads == "new" for each in found):  # as Confluent has it
        old = earlier[found[0].earlier]
        lines += [f"{{oldSchemaVersion: {old.version}}}", _shown(old.text)]
    lines.append(f"{{explanation: '{'; '.join(dict.fromkeys(each.message for each in found))}'}}")
    return lines


def refusal(subject: str, lines: Sequence[str]) -> str:
    """The message of the 409."""
    details = ", ".join(lines)
    return (
        f'Schema being registered is incompatible with an earlier schema for subject "{subject}", details: [{details}]'
    )


def _shown(text: str) -> str:
    if len(text) <= _LONGEST:
        return f"{{oldSchema: '{text}'}}"
    return f"{{oldSchema: <truncated to {_LONGEST} characters> '{text[:_LONGEST]}'}}"


def _described(each: Incompatibility) -> str:
    if each.type not in _DESCRIPTIONS:
        return f"Unexpected exception during compatibility check: {each.detail}"
    reader, writer = ("new", "old") if each.reads == "new" else ("old", "new")
    text = _DESCRIPTIONS[each.type].format(path=each.path, detail=each.detail, reader=reader, writer=writer)
    return f"{{errorType:'{each.type}', description:'{text}', additionalInfo:'{each.detail}'}}"
