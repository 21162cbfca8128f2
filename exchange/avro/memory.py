"""Schemas that were read lately, so that those that are asked for again are not read again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from exchange.avro.schema import Schema

_Key = tuple[str, tuple[str, ...], bool]


class ParsedSchemas:
    """Reads schemas and keeps the latest, as many as have texts of at most `most` characters together.

    A schema that is read takes some ten to twenty times its text. One of more than a quarter of `most` is not kept:
    it would drive all others out. May be used by many threads.
    """

    def __init__(self, most: int = 2_000_000) -> None:
        self._most = most
        self._size = 0
        self._kept: OrderedDict[_Key, Schema] = OrderedDict()
        self._lock = threading.Lock()

    def parse(self, text: str, referenced: Sequence[str] = (), validate_defaults: bool = True) -> Schema:
        """The schema (see `Schema.parse`); raises SchemaInvalid."""
        key = (text, tuple(referenced), validate_defaults)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        schema = Schema.parse(text, referenced, validate_defaults)
        self._keep(key, schema)
        return schema

    def _keep(self, key: _Key, schema: Schema) -> None:
        if _size(key) > self._most // 4:
            return
        with self._lock:
            if key not in self._kept:
                self._kept[key] = schema
                self._size += _size(key)
            while self._size > self._most:
                oldest, _ = self._kept.popitem(last=False)
                self._size -= _size(oldest)


def _size(key: _Key) -> int:
    return len(key[0]) + sum(map(len, key[1])) + 200
