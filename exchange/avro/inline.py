"""Writing a schema out: every named type where it is first used, wherever it was defined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.avro.names import INSIDE, NAMED, namespace_of


def write_out(schema: Any, known: Mapping[str, Any], depth: int) -> Any:
    """The resolved schema with the types of `known` at their first use; raises RecursionError past `depth`."""
    return _Writing(known).written(schema, "", depth)


class _Writing:
    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = known
        self._done: set[str] = set()

    def written(self, schema: Any, namespace: str, depth: int) -> Any:
        if depth < 0:
            raise RecursionError
        if isinstance(schema, list):
            return [self.written(each, namespace, depth - 1) for each in schema]
        if isinstance(schema, str):
            return self._definition(self._known[schema], namespace, depth) if schema in self._known else schema
        if schema["type"] in NAMED:
            return self._definition(schema, namespace, depth)
        inside = INSIDE.get(schema["type"])
        return {**schema, inside: self.written(schema[inside], namespace, depth - 1)} if inside else schema

    def _definition(self, schema: dict[str, Any], namespace: str, depth: int) -> Any:
        full = schema["name"]
        if full in self._done:
            return full
        self._done.add(full)
        made = {key: value for key, value in schema.items() if key != "namespace"}
        if namespace and "." not in full:
            made["namespace"] = ""
        if "fields" in made and made["type"] in ("record", "error"):
            inner = namespace_of(full)
            made["fields"] = [
                {**field, "type": self.written(field["type"], inner, depth - 1)} for field in made["fields"]
            ]
        return made
