"""Names of generated classes, attributes and members: the schema's where Python can have them, else near ones."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

_BUILTINS = ("int", "str", "bytes", "bool", "float", "list", "dict", "object", "classmethod", "isinstance")
_IMPORTED = ("dt", "struct", "msgspec", "field", "dataclass", "Decimal", "UUID", "StrEnum", "Any", "ClassVar", "Self")
MODULE_NAMES = frozenset((*_BUILTINS, *_IMPORTED, "Mapping"))
"""What generated code calls by its name: no class and no attribute may hide it."""

_METHODS = frozenset({"to_dict", "from_dict", "self"})
_OF_ENUMS = frozenset(dir(StrEnum)) | {"name", "value", "mro"}


def class_names(full_names: Iterable[str]) -> dict[str, str]:
    """The class of each named type: the last part of its name, or more of it where two types share that."""
    names: dict[str, str] = {}
    full_names = list(full_names)
    lasts = [each.rpartition(".")[2] for each in full_names]
    for full, last in zip(full_names, lasts, strict=True):
        shared = lasts.count(last) > 1
        names[full] = _python_name(_camel(full) if shared else last, {*MODULE_NAMES, *names.values()})
    return names


def attribute_names(fields: Iterable[str], classes: Collection[str]) -> dict[str, str]:
    """The attribute of each field; a keyword, or a name that an annotation needs, gets an underscore at its end."""
    return _unique(fields, {*MODULE_NAMES, *_METHODS, *classes})


def member_names(symbols: Iterable[str]) -> dict[str, str]:
    """The member of each of an enum's symbols; one that text has as a method gets an underscore at its end."""
    return _unique(symbols, _OF_ENUMS)


def _unique(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Names that need no change keep theirs, whatever comes before them."""
    names = list(names)
    kept: Mapping[str, str] = {name: name for name in names if _python_name(name, taken) == name}
    changed: dict[str, str] = {}
    for name in names:
        if name not in kept:
            changed[name] = _python_name(name, {*taken, *kept, *changed.values()})
    return {name: kept.get(name) or changed[name] for name in names}


def _python_name(name: str, taken: Collection[str]) -> str:
    made = unicodedata.normalize("NFKC", name)  # as Python reads it
    made = re.sub(r"\W", "_", made)
    if made.startswith("_") or not made.isidentifier():
        made = f"x{made}"
    while keyword.iskeyword(made) or made in taken:
        made += "_"
    return made


def _camel(full: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in full.split("."))


def quoted(text: str) -> str:
    """A text as a Python literal."""
    if text.isprintable():
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return ascii(text)


def kind_of(schema: Any) -> str:
    """A resolved type's kind; `union` for one, the name for a type that is named again."""
    if isinstance(schema, list):
        return "union"
    return str(schema if isinstance(schema, str) else schema["type"])
