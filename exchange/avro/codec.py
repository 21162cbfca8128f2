"""Avro binary of one schema: fastavro behind a strict check. Hot: every record passes here twice.

fastavro alone would write 1.5 as the int 1, "no" as the boolean true and leave out keys it does not know. Records of
plain fields have generated functions in front of both, which leave to the code here whatever they are not sure of.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import fastavro
from fastavro import _read_py  # the reader in Python: it honours the recursion limit
from fastavro.read import schemaless_reader
from fastavro.write import schemaless_writer

from exchange.avro.checks import compile_check
from exchange.avro.explain import explain_value
from exchange.avro.reader import Decode, compile_decode
from exchange.avro.shape import definitions, has_weightless_items, is_recursive, with_python_defaults
from exchange.avro.writer import Encode, compile_encode
from exchange.errors import SchemaInvalid, ValueInvalid


class Codec:
    """Encodes and decodes values of one resolved schema."""

    __slots__ = ("_fits", "_parsed", "_read", "_resolved", "_weightless", "decode", "encode")

    def __init__(self, resolved: Any) -> None:
        """Raises SchemaInvalid where fastavro finds what we did not."""
        try:
            self._parsed: Any = _parsed(with_python_defaults(resolved))
        except Exception as error:  # fastavro raises whatever it meets
            raise SchemaInvalid(f"the schema is wrong: {error}") from None
        self._resolved = resolved
        self._fits = compile_check(resolved)
        self._weightless = has_weightless_items(resolved)
        # Compiled code would overrun the C stack, and with it the process, on bytes made to nest without end.
        self._read: Any = _read_py.schemaless_reader if is_recursive(resolved) else schemaless_reader
        self.encode: Encode = compile_encode(resolved, self._encode)
        """Avro binary of a value; raises ValueInvalid with the path and both types."""

        self.decode: Decode = compile_decode(resolved, self._decode)
        """The value; raises ValueInvalid for bytes that are cut short, trailed by others, or no value at all."""

    def _encode(self, value: Any) -> bytes:
        try:
            if self._fits(value) and not self._weightless:
                buffer = BytesIO()
                schemaless_writer(buffer, self._parsed, value, strict_allow_default=True, disable_tuple_notation=True)
                return buffer.getvalue()
        except Exception as error:  # fastavro raises whatever it meets; RecursionError for values that hold themselves
            raise ValueInvalid(f"the value cannot be written: {self._explain(value) or error}") from None
        raise ValueInvalid(f"the value does not fit its schema at {self._explain(value)}")

    def _decode(self, data: bytes | memoryview) -> Any:
        source = BytesIO(data)
        try:
            if self._weightless:
                raise ValueInvalid(_WEIGHTLESS)
            value = self._read(source, self._parsed, None)
        except ValueInvalid:
            raise
        except EOFError:
            raise ValueInvalid(f"the {len(data)} bytes end before the value does") from None
        except Exception as error:  # random bytes make fastavro raise anything
            raise ValueInvalid(f"the {len(data)} bytes are no value of the schema: {_named(error)}") from None
        if source.tell() != len(data):
            raise ValueInvalid(f"{len(data) - source.tell()} bytes trail the value")
        return value

    def _explain(self, value: Any) -> str:
        if self._weightless:
            return f"/: {_WEIGHTLESS}"
        try:
            return explain_value(value, self._resolved)
        except RecursionError:
            return "/: the value is nested too deep, or holds itself"


def _parsed(schema: Any) -> Any:
    """fastavro's schema. It takes symbols of Latin letters only; those that are others are put in once it has."""
    symbols = [
        (each["symbols"], list(each["symbols"])) for each in definitions(schema).values() if each["type"] == "enum"
    ]
    for taken, _ in symbols:
        taken[:] = [f"_{i}" for i in range(len(taken))]
    parsed = fastavro.parse_schema(schema, _ignore_default_error=True)
    for taken, real in symbols:
        taken[:] = real
    return parsed


_WEIGHTLESS = "an array of items that take no bytes can be of any length: such schemas are not carried"


def _named(error: Exception) -> str:
    return type(error).__name__
