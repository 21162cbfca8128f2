"""Reading a schema's JSON: every rule that Java's parser holds a schema to, each breach named with its path.

The result is the resolved schema: plain JSON in which every name is full (`namespace` is gone, but for the empty one
of a type inside a namespace that is not its own), a named type is written out where it is first used and named
afterwards, and `{"type": "string"}` is `"string"`. Everything else, `doc` and unknown attributes included, stays as
it was written. A type may be used before it is defined, and defined again if it is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exchange.avro.defaults import Defaults, float_of
from exchange.avro.inline import write_out
from exchange.avro.json_text import Json, parse_json, shown
from exchange.avro.likeness import same_definition
from exchange.avro.names import INSIDE, NAMED, PRIMITIVES, alias_name, full_name, is_name, namespace_of
from exchange.errors import SchemaInvalid

MAX_DEPTH = 100
"""How many types may be nested; deeper ones would exhaust the stack of a reader somewhere."""

_ORDERS = ("ascending", "descending", "ignore")
_MOST_BYTES = 2**31 - 9
"""The longest array that a Java virtual machine makes."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolved schema, the names of the schemas it was given to refer to, and whether all its defaults fit."""

    raw: Json
    referenced: tuple[str, ...]
    defaults_fit: bool


def resolve(text: str, referenced: Sequence[str] = (), validate_defaults: bool = True) -> Resolved:
    """The resolved schema of a JSON text that may use the named types of `referenced`, dependencies first.

    Raises SchemaInvalid with the path and what would be right. Without `validate_defaults` defaults are not looked at.
    """
    resolver = _Resolver()
    try:
        names = tuple(resolver.reference(each) for each in referenced)
        raw = resolver.read(text)
        wrong = resolver.wrong_default()
        if wrong and validate_defaults:
            raise SchemaInvalid(wrong)
        if referenced or resolver.forward:
            raw = write_out(raw, resolver.known, MAX_DEPTH)
    except RecursionError:
        raise _too_deep("") from None
    return Resolved(raw, names, resolver.references_fit and not wrong)


class _Resolver:
    """Reads schemas one after the other, each depth first; a type is known once it has been read whole."""

    def __init__(self) -> None:
        self.known: dict[str, Json] = {}
        self.forward = False
        self.references_fit = True
        self._open: set[str] = set()
        self._unknown: list[tuple[str, str]] = []
        self._defaults: list[tuple[dict[str, Json], str]] = []
        self._path: list[str] = []

    def reference(self, text: str) -> str:
        """Make the types of a schema known, whose name is returned; its own defaults may be anything."""
        try:
            raw = self.read(text)
        except SchemaInvalid as error:
            raise SchemaInvalid(f"a referenced schema: {error.message}") from None
        self.references_fit = self.references_fit and self.wrong_default() is None
        self._defaults.clear()
        return raw if isinstance(raw, str) else "" if isinstance(raw, list) else str(raw.get("name", raw["type"]))

    def read(self, text: str) -> Json:
        """The schema of a text, in which types may still be named that are written out nowhere in it."""
        raw = self._type(parse_json(text), "", 0)
        for name, path in self._unknown:
            if name not in self.known:
                raise SchemaInvalid(f"the schema is wrong at {path}: type {shown(name)} is not defined")
        self._unknown.clear()
        return raw

    def wrong_default(self) -> str | None:
        """The first default that is none, once every type is known (it may be of the record that holds it)."""
        defaults = Defaults(self.known)
        for field, path in self._defaults:
            reason = defaults.explain(field["default"], field["type"])
            if reason is not None:
                return f"the schema is wrong at {path}: the default of field {field['name']!r} is invalid: {reason}"
        return None

    def _type(self, raw: Json, namespace: str, depth: int) -> Json:
        """The resolved form of whatever stands where a type is expected."""
        if depth > MAX_DEPTH:
            raise _too_deep(self._place())
        if isinstance(raw, str):
            return raw if raw in PRIMITIVES else self._named(raw, namespace)
        if isinstance(raw, dict):
            return self._complex(raw, namespace, depth)
        if isinstance(raw, list):
            return self._union(raw, namespace, depth)
        raise self._wrong(f"a type is a name, an object or an array of types, not {shown(raw)}")

    def _named(self, name: str, namespace: str) -> str:
        """A type by its name; one that is not known yet must be defined later."""
        full = f"{namespace}.{name}" if namespace and "." not in name else name
        if full in self.known:
            return full
        if name in self.known:
            return name
        self._unknown.append((full, self._place()))
        self.forward = self.forward or full not in self._open
        return full

    def _union(self, raw: list[Json], namespace: str, depth: int) -> Json:
        path, branches = self._path, []
        names: set[str] = set()
        path.append("")
        for i, each in enumerate(raw):
            path[-1] = str(i)
            branch = self._type(each, namespace, depth + 1)
            name = branch if isinstance(branch, str) else _branch_name(branch)
            if name is None or name in names:
                path.pop()
                what = "no union directly" if name is None else f"{name} more than once"
                raise self._wrong(f"a union holds {what}")
            names.add(name)
            branches.append(branch)
        path.pop()
        return branches

    def _complex(self, raw: dict[str, Json], namespace: str, depth: int) -> Json:
        kind = raw.get("type")
        if not isinstance(kind, str):
            raise self._wrong(f'"type" must be a name such as "record" or "string", not {shown(kind)}')
        if kind in PRIMITIVES:
            return kind if len(raw) == 1 else raw
        if kind in NAMED:
            return self._define(raw, kind, namespace, depth)
        if kind not in INSIDE:
            return self._named(kind, namespace)
        inside = INSIDE[kind]
        found = self._required(raw, inside)
        self._path.append(inside)
        raw[inside] = self._type(found, namespace, depth + 1)
        self._path.pop()
        return raw

    def _define(self, raw: dict[str, Json], kind: str, namespace: str, depth: int) -> Json:
        """A named type under its full name; its name alone where the same type is known already."""
        full = self._name(raw, namespace)
        raw["name"] = full
        raw.pop("namespace", None)
        if namespace and "." not in full:
            raw["namespace"] = ""  # or it would be read as a name of the enclosing namespace
        if "aliases" in raw:
            raw["aliases"] = self._aliases(raw["aliases"], full)
        if kind == "enum":
            self._check_enum(raw)
        elif kind == "fixed":
            self._check_size(raw)
        else:
            self._open.add(full)
            raw["fields"] = self._fields(raw, namespace_of(full), depth)
            self._open.discard(full)
        return self._put(full, raw)

    def _put(self, full: str, named: dict[str, Json]) -> Json:
        if full not in self.known:
            self.known[full] = named
            return named
        if not same_definition(self.known[full], named):
            raise self._wrong(f"type {full!r} is defined more than once, and not alike")
        return full

    def _name(self, raw: dict[str, Json], namespace: str) -> str:
        name, own = raw.get("name"), raw.get("namespace")
        if not isinstance(name, str):
            raise self._wrong('"name" is missing' if name is None else f'"name" must be text, not {shown(name)}')
        full = full_name(name, own if isinstance(own, str) else namespace)
        for part in full.split("."):
            self._check_name(part, "name of a type")
        if full in PRIMITIVES:
            raise self._wrong(f"{full!r} is the name of a primitive type")
        return full

    def _aliases(self, aliases: Json, full: str) -> list[str]:
        for alias in self._texts(aliases):
            self._check_name(alias.rpartition(".")[2], "alias")
        return [alias_name(alias, full) for alias in aliases]

    def _texts(self, aliases: Json) -> list[str]:
        if not isinstance(aliases, list) or not all(isinstance(each, str) for each in aliases):
            raise self._wrong(f'"aliases" must be an array of names, not {shown(aliases)}')
        return aliases

    def _check_size(self, raw: dict[str, Json]) -> None:
        size = self._required(raw, "size")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _MOST_BYTES:
            raise self._wrong(f'"size" must be a whole number from 0 up to {_MOST_BYTES}, not {shown(size)}')

    def _check_enum(self, raw: dict[str, Json]) -> None:
        symbols = self._required(raw, "symbols")
        if not isinstance(symbols, list):
            raise self._wrong(f'"symbols" must be an array of names, not {shown(symbols)}')
        seen: set[str] = set()
        for symbol in symbols:
            self._check_name(symbol, "enum symbol")
            if symbol in seen:
                raise self._wrong(f"symbol {shown(symbol)} is there more than once")
            seen.add(symbol)
        default = raw.get("default")
        if isinstance(default, str) and default not in seen:
            raise self._wrong(f"the default {shown(default)} is not one of the symbols")

    def _fields(self, raw: dict[str, Json], namespace: str, depth: int) -> list[Json]:
        fields, path = self._required(raw, "fields"), self._path
        if not isinstance(fields, list):
            raise self._wrong(f'"fields" must be an array, not {shown(fields)}')
        seen: set[str] = set()
        resolved = []
        path += ("fields", "")
        for i, each in enumerate(fields):
            path[-1] = str(i)
            field = self._field(each, namespace, depth)
            if field["name"] in seen:
                raise self._wrong(f"field {field['name']!r} is there more than once")
            seen.add(field["name"])
            resolved.append(field)
        del path[-2:]
        return resolved

    def _field(self, raw: Json, namespace: str, depth: int) -> dict[str, Json]:
        if not isinstance(raw, dict):
            raise self._wrong(f"a field is an object with a name and a type, not {shown(raw)}")
        field: dict[str, Json] = raw
        self._check_name(self._required(raw, "name"), "field name")
        kind = self._required(raw, "type")
        if not (isinstance(kind, str) and kind in PRIMITIVES):
            self._path.append("type")
            raw["type"] = self._type(kind, namespace, depth + 1)
            self._path.pop()
        if "default" in raw:
            raw = self._with_default(raw)
        if "order" in raw and str(raw["order"]).lower() not in _ORDERS:
            raise self._wrong(f'"order" of field {raw["name"]!r} must be one of {", ".join(_ORDERS)}')
        if "aliases" in raw:
            self._texts(raw["aliases"])
        return field

    def _with_default(self, field: dict[str, Json]) -> dict[str, Json]:
        """The field, to be looked at later; text for a number that a `float` or `double` has is that number."""
        default, kind = field["default"], field["type"]
        if isinstance(default, str) and (kind if isinstance(kind, str) else _branch_name(kind)) in ("float", "double"):
            number = float_of(default)
            if number is None:
                raise self._wrong(f"the default of field {field['name']!r} is invalid: {shown(default)} is no number")
            field["default"] = number
            return field
        self._defaults.append((field, self._place()))
        return field

    def _check_name(self, name: Json, what: str) -> None:
        if not is_name(name):
            raise self._wrong(f"{shown(name)} is no {what}: letters, digits and _ only, not starting with a digit")

    def _required(self, raw: dict[str, Json], key: str) -> Json:
        if key not in raw:
            raise self._wrong(f'"{key}" is missing')
        return raw[key]

    def _place(self) -> str:
        return "/" + "/".join(self._path)

    def _wrong(self, reason: str) -> SchemaInvalid:
        return SchemaInvalid(f"the schema is wrong at {self._place()}: {reason}")


def _branch_name(branch: Any) -> str | None:
    """What a union knows a branch by; None for a union."""
    if isinstance(branch, list):
        return None
    return str(branch["name"] if branch["type"] in NAMED else branch["type"])


def _too_deep(path: str) -> SchemaInvalid:
    return SchemaInvalid(f"the schema is wrong at {path[:200] or '/'}: types are nested more than {MAX_DEPTH} deep")
