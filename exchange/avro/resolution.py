"""Avro's reader/writer resolution as the reference implementation decides it, in time that grows with the schema.

`avro.compatibility` collects the messages of everything that is wrong in sets that it copies, and builds a table of
a record's fields for every field it looks up: minutes for a record of ten thousand fields. Here a record stops at
the first field that cannot be read, and the tables are kept. What is compatible with what is its decision.
"""

from __future__ import annotations

from typing import Any

from avro.compatibility import (
    CompatibleResult,
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityResult,
    SchemaCompatibilityType,
    SchemaIncompatibilityType,
    incompatible,
    schema_name_equals,
)

from exchange.avro.structure import FieldNode, Node

Verdict = SchemaCompatibilityResult
"""What the reference implementation answers."""


class Resolution(ReaderWriterCompatibilityChecker):
    """Verdicts about pairs of structures; remembers each. Must not outlive the objects."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tables: dict[int, dict[str, FieldNode]] = {}

    def can_read(self, reader: Node, writer: Node) -> bool:
        """Whether `reader` reads everything that `writer` may have written."""
        return _holds(self._compatibility(reader, writer, ["/"]))

    def same_name(self, reader: Any, writer: Any) -> bool:
        """Whether two named types go by one name: without their namespaces, or by the reader's alias."""
        return schema_name_equals(reader, writer)

    def writer_field(self, reader_field: FieldNode, writer: Node) -> FieldNode | None:
        """The field of the record `writer` that a reader's field is read from, by name or alias; None without one."""
        table = self._tables.get(id(writer))
        if table is None:
            table = self._tables[id(writer)] = {field.name: field for field in writer.fields}
        names = (reader_field.name, *(reader_field.props.get("aliases") or ()))
        return next((table[name] for name in names if name in table), None)

    def check_reader_writer_record_fields(self, reader: Any, writer: Any, location: list[str]) -> Verdict:
        """The first field of `reader` that cannot be read, or the compatible result."""
        for i, field in enumerate(reader.fields):
            place = [*location, "fields", str(i)]
            theirs = self.writer_field(field, writer)
            if theirs is not None:
                result = self._compatibility(field.type, theirs.type, [*place, "type"])
                if not _holds(result):
                    return result
            elif not field.has_default:
                return incompatible(SchemaIncompatibilityType.reader_field_missing_default_value, field.name, place)
        return CompatibleResult

    def _compatibility(self, reader: Any, writer: Any, location: list[str]) -> Verdict:
        """`get_compatibility`, whose types ask for classes of `avro.schema` where their shape is enough."""
        return self.get_compatibility(reader, writer, location[-1], location[:-1])


def _holds(result: Verdict) -> bool:
    return result.compatibility is SchemaCompatibilityType.compatible
