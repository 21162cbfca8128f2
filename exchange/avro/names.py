"""Names, as Java's parser takes them: Unicode letters and digits of the basic plane, and underscores."""

from __future__ import annotations

import unicodedata
from typing import Any

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "error", "enum", "fixed"})
"""The kinds of types that have a name."""
INSIDE = {"array": "items", "map": "values"}
"""The kinds of types that hold one other, and under which key."""

_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo"})


def is_name(name: Any) -> bool:
    """Whether a text is a name: of a field, of a symbol, or a part of a full name."""
    if not isinstance(name, str):
        return False
    return name.isidentifier() if name.isascii() else _is_unicode_name(name)


def full_name(name: str, namespace: str) -> str:
    """A name as it is meant inside a namespace: `.R` and `R` without one are the same."""
    if "." not in name:
        return f"{namespace}.{name}" if namespace else name
    return name[1:] if name.rfind(".") == 0 else name


def namespace_of(full: str) -> str:
    """The part of a full name before its last dot; empty without one."""
    return full.rpartition(".")[0]


def alias_name(alias: str, full: str) -> str:
    """An alias of the type `full`, in full. One without a namespace, of a type that has one, keeps a dot in front."""
    namespace = namespace_of(full)
    named = full_name(alias, namespace)
    return f".{named}" if namespace and "." not in named else named


def _is_unicode_name(name: str) -> bool:
    kinds = [unicodedata.category(each) if each < "\U00010000" else "" for each in name]
    if kinds[0] not in _LETTERS and name[0] != "_":
        return False
    return all(kind in _LETTERS or kind == "Nd" or each == "_" for kind, each in zip(kinds, name, strict=True))
