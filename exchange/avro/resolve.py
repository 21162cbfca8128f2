"""Reading a schema's JSON: every rule of the Avro specification that a schema can break, each named with its path.

The result is the resolved schema: plain JSON in which every name is full (`namespace` is gone, but for the empty one
of a type inside a namespace that is not its own), a named type is written out where it is first used and named
afterwards, and `{"type": "string"}` is `"string"`. Everything else, `doc` and unknown attributes included, stays as
it was written.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from exchange.avro.defaults import Defaults
from exchange.errors import SchemaInvalid

Json = Any
"""What a JSON text decodes to."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
MAX_DEPTH = 100
"""How many types may be nested; deeper ones would exhaust the stack of a reader somewhere."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ORDERS = ("ascending", "descending", "ignore")


def resolve(text: str | bytes) -> Json:
    """The resolved schema of a JSON text; raises SchemaInvalid with the path and what would be right."""
    resolver = _Resolver()
    try:
        resolved = resolver.type_at(_parse_json(text), "", "", 0)
        resolver.check_defaults()
    except RecursionError:
        raise _too_deep("") from None
    return resolved


def _parse_json(text: str | bytes) -> Json:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise SchemaInvalid(f"the schema is not JSON: {error}") from None


class _Resolver:
    """One pass over one schema, depth first, in the order in which Avro defines names."""

    def __init__(self) -> None:
        self.known: dict[str, Json] = {}
        self._defaults: list[tuple[dict[str, Json], str]] = []

    def type_at(self, raw: Json, namespace: str, path: str, depth: int) -> Json:
        """The resolved form of whatever stands where a type is expected."""
        if depth > MAX_DEPTH:
            raise _too_deep(path)
        if isinstance(raw, str):
            return self._reference(raw, namespace, path)
        if isinstance(raw, list):
            return self._union(raw, namespace, path, depth)
        if isinstance(raw, dict):
            return self._complex(raw, namespace, path, depth)
        raise _wrong(path, f"a type is a name, an object or an array of types, not {_shown(raw)}")

    def _reference(self, name: str, namespace: str, path: str) -> Json:
        if name in PRIMITIVES:
            return name
        for full in dict.fromkeys([_full(name, namespace), name]):
            if full in self.known:
                return full
        raise _wrong(path, f"type {_shown(name)} is not defined before this point")

    def _union(self, raw: list[Json], namespace: str, path: str, depth: int) -> Json:
        branches = [self.type_at(each, namespace, f"{path}/{i}", depth + 1) for i, each in enumerate(raw)]
        if any(isinstance(each, list) for each in branches):
            raise _wrong(path, "a union holds no union directly")
        twice = _repeated([self._branch_name(each) for each in branches])
        if twice is not None:
            raise _wrong(path, f"a union holds {twice} more than once")
        return branches

    def _branch_name(self, branch: Json) -> str:
        if isinstance(branch, str):
            return branch
        name = branch["name"] if "name" in branch and branch["type"] in _NAMED else branch["type"]
        return str(name)

    def _complex(self, raw: dict[str, Json], namespace: str, path: str, depth: int) -> Json:
        kind = raw.get("type")
        if not isinstance(kind, str):
            raise _wrong(path, f'"type" must be a name such as "record" or "string", not {_shown(kind)}')
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(self, raw, namespace, path, depth)
        if kind in PRIMITIVES:
            return kind if raw.keys() == {"type"} else dict(raw)
        return self._reference(kind, namespace, path)

    def _array(self, raw: dict[str, Json], namespace: str, path: str, depth: int) -> Json:
        items = self.type_at(_required(raw, "items", path), namespace, f"{path}/items", depth + 1)
        return {**raw, "items": items}

    def _map(self, raw: dict[str, Json], namespace: str, path: str, depth: int) -> Json:
        values = self.type_at(_required(raw, "values", path), namespace, f"{path}/values", depth + 1)
        return {**raw, "values": values}

    def _fixed(self, raw: dict[str, Json], namespace: str, path: str, _depth: int) -> Json:
        size = _required(raw, "size", path)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**31:
            raise _wrong(path, f'"size" must be a whole number from 0 up, not {_shown(size)}')
        return self._define(raw, namespace, path)

    def _enum(self, raw: dict[str, Json], namespace: str, path: str, _depth: int) -> Json:
        symbols = _required(raw, "symbols", path)
        if not isinstance(symbols, list):
            raise _wrong(path, f'"symbols" must be an array of names, not {_shown(symbols)}')
        for symbol in symbols:
            _check_name(symbol, path, "enum symbol")
        twice = _repeated(symbols)
        if twice is not None:
            raise _wrong(path, f"symbol {_shown(twice)} is there more than once")
        if "default" in raw and raw["default"] not in symbols:
            raise _wrong(path, f"the default {_shown(raw['default'])} is not one of the symbols")
        return self._define(raw, namespace, path)

    def _record(self, raw: dict[str, Json], namespace: str, path: str, depth: int) -> Json:
        fields = _required(raw, "fields", path)
        if not isinstance(fields, list):
            raise _wrong(path, f'"fields" must be an array, not {_shown(fields)}')
        record = self._define(raw, namespace, path)
        inner = _namespace_of(record["name"])
        seen: set[str] = set()
        resolved = [self._field(each, inner, f"{path}/fields/{i}", depth, seen) for i, each in enumerate(fields)]
        record["fields"] = resolved
        return record

    def _field(self, raw: Json, namespace: str, path: str, depth: int, seen: set[str]) -> Json:
        if not isinstance(raw, dict):
            raise _wrong(path, f"a field is an object with a name and a type, not {_shown(raw)}")
        name = _required(raw, "name", path)
        _check_name(name, path, "field name")
        if name in seen:
            raise _wrong(path, f"field {name!r} is there more than once")
        seen.add(name)
        if raw.get("order", "ascending") not in _ORDERS:
            raise _wrong(path, f'"order" of field {name!r} must be one of {", ".join(_ORDERS)}')
        _check_aliases(raw, path)
        field = {**raw, "type": self.type_at(_required(raw, "type", path), namespace, f"{path}/type", depth + 1)}
        if "default" in field:
            self._defaults.append((field, path))
        return field

    def check_defaults(self) -> None:
        """Every default, once every type is known (a default may be of the record that holds it)."""
        defaults = Defaults(self.known)
        for field, path in self._defaults:
            reason = defaults.explain(field["default"], field["type"])
            if reason is not None:
                raise _wrong(path, f"the default of field {field['name']!r} is invalid: {reason}")

    def _define(self, raw: dict[str, Json], namespace: str, path: str) -> dict[str, Json]:
        """A new named type under its full name, known from here on (a record may hold itself)."""
        full = _definition_name(raw, namespace, path)
        if full in PRIMITIVES:
            raise _wrong(path, f"{full!r} is the name of a primitive type")
        if full in self.known:
            raise _wrong(path, f"type {full!r} is defined more than once")
        _check_aliases(raw, path)
        named = {key: value for key, value in raw.items() if key != "namespace"} | {"name": full}
        if namespace and "." not in full:
            named["namespace"] = ""  # or it would be read as a name of the enclosing namespace
        if "aliases" in named:
            named["aliases"] = [_full(each, _namespace_of(full)) for each in named["aliases"]]
        self.known[full] = named
        return named


_NAMED = frozenset({"record", "error", "enum", "fixed"})
_READERS = {
    "record": _Resolver._record,
    "error": _Resolver._record,
    "enum": _Resolver._enum,
    "fixed": _Resolver._fixed,
    "array": _Resolver._array,
    "map": _Resolver._map,
}


def _repeated(names: list[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _definition_name(raw: dict[str, Json], namespace: str, path: str) -> str:
    name = _required(raw, "name", path)
    own = raw.get("namespace", namespace)
    own = "" if own is None else own
    if not isinstance(name, str) or not isinstance(own, str):
        raise _wrong(path, '"name" and "namespace" must be text')
    full = _full(name, own)
    for part in full.split("."):
        _check_name(part, path, "name of a type")
    return full


def _check_aliases(raw: dict[str, Json], path: str) -> None:
    aliases = raw.get("aliases", [])
    if not isinstance(aliases, list) or not all(isinstance(each, str) for each in aliases):
        raise _wrong(path, f'"aliases" must be an array of names, not {_shown(aliases)}')
    for part in (part for alias in aliases for part in alias.split(".")):
        _check_name(part, path, "alias")


def _check_name(name: Json, path: str, what: str) -> None:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise _wrong(path, f"{_shown(name)} is no {what}: letters, digits and _ only, not starting with a digit")


def _required(raw: dict[str, Json], key: str, path: str) -> Json:
    if key not in raw:
        raise _wrong(path, f'"{key}" is missing')
    return raw[key]


def _full(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _namespace_of(full: str) -> str:
    return full.rpartition(".")[0]


def _shown(value: Json) -> str:
    """A value in a message: never longer than a line."""
    text = msgspec.json.encode(value).decode("utf-8")
    return text if len(text) <= 60 else text[:57] + "..."


def _wrong(path: str, reason: str) -> SchemaInvalid:
    return SchemaInvalid(f"the schema is wrong at {path or '/'}: {reason}")


def _too_deep(path: str) -> SchemaInvalid:
    return SchemaInvalid(f"the schema is wrong at {path[:200] or '/'}: types are nested more than {MAX_DEPTH} deep")
