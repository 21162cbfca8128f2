"""What the registry refuses with in several places, in Confluent's words."""

from __future__ import annotations

from exchange.errors import SchemaInvalid, SchemaNotFound
from exchange.registry.subjects import context_of, qualified

_READONLY = ("READONLY", "READONLY_OVERRIDE")


def subject_not_found(subject: str) -> SchemaNotFound:
    """Confluent's 40401."""
    return SchemaNotFound(f"Subject '{subject}' not found.", code="subject_not_found")


def version_not_found(number: int) -> SchemaNotFound:
    """Confluent's 40402."""
    return SchemaNotFound(f"Version {number} not found.", code="version_not_found")


def not_permitted(subject: str | None, state: str) -> SchemaInvalid:
    """Confluent's 42205: a write that the subject's mode does not admit."""
    context = qualified(context_of(subject or ""))
    return SchemaInvalid(
        f"Subject {'null' if subject is None else subject} in context {context} is {state}",
        code="operation_not_permitted",
    )


def require_writable(subject: str | None, mode: str) -> None:
    """Raises SchemaInvalid of code `operation_not_permitted` in read-only mode."""
    if mode in _READONLY:
        raise not_permitted(subject, "in read-only mode")
