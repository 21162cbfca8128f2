"""A schema's JSON, read as Java's parser reads it: comments are allowed, and of a key written twice the last counts."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from exchange.errors import SchemaInvalid

Json = Any
"""What a JSON text decodes to."""

_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|//[^\n\r]*', re.DOTALL)
_CONTROL = "".join(map(chr, range(33)))


def parse_json(text: str) -> Json:
    """The value of a JSON text; raises SchemaInvalid. Lone surrogates and numbers past every double are refused."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        plain = _without_comments(text)
        if plain == text:
            raise SchemaInvalid(f"the schema is not JSON: {error}") from None
    return parse_json(plain)


def _without_comments(text: str) -> str:
    """The text up to its last value; comments after it are not allowed."""
    kept = _COMMENT.sub(lambda found: found[0] if found[0].startswith('"') else " ", text) if "/" in text else text
    return kept.rstrip(_CONTROL) if text.rstrip(_CONTROL)[-1:] in ("}", "]", '"') else text


def shown(value: Json) -> str:
    """A value in a message: never longer than a line."""
    text = msgspec.json.encode(value).decode("utf-8")
    return text if len(text) <= 60 else text[:57] + "..."
