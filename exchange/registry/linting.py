"""The house's rules for schemas at registration: told as warnings, or where the instance says so as refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from exchange.avro import Schema, lint
from exchange.errors import SchemaInvalid
from exchange.registry.subjects import split, topic_name
from exchange.trust import Directory

Mode = Literal["off", "warn", "refuse"]


class Linting:
    """Holds schemas to the house's rules; the directory says which topics carry personal data."""

    def __init__(self, directory: Callable[[], Directory] | None = None, mode: Mode = "warn") -> None:
        self._directory = directory
        self._mode = mode

    def warnings(self, subject: str, schema: Schema) -> list[str]:
        """What the house would have otherwise, in sentences; empty where linting is off."""
        if self._mode == "off":
            return []
        return [str(each) for each in lint(schema, self._is_personal(subject))]

    def require(self, subject: str, schema: Schema) -> None:
        """Raises SchemaInvalid of code `lint_refused` where the instance refuses what the house would not have."""
        if self._mode != "refuse":
            return
        found = self.warnings(subject, schema)
        if found:
            raise SchemaInvalid(
                f"The schema does not keep the rules of this instance (registry.lint is refuse): {'; '.join(found)}",
                code="lint_refused",
            )

    def _is_personal(self, subject: str) -> bool | None:
        """None where the subject is of no topic of the directory."""
        topic = topic_name(split(subject)[1])
        entry = self._directory().topic(topic) if self._directory and topic is not None else None
        return None if entry is None else entry.personal
