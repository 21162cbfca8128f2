"""Names of subjects: `name` in the default context, `:.context:name` in another, as Confluent qualifies them."""

from __future__ import annotations

from exchange.errors import SchemaInvalid

DEFAULT = "."
"""The context of a name that does not say one."""
GLOBAL = ":.__GLOBAL:"
"""What is configured for this context holds wherever nothing else is."""
EVERY_CONTEXT = ":*:"
"""The prefix that matches subjects of every context."""
_GLOBAL = "__GLOBAL"
_CONTROL = frozenset({*map(chr, range(32)), *map(chr, range(127, 160))})


def split(subject: str) -> tuple[str, str]:
    """The context and the name of a subject; the context of `:*:name` is `*`."""
    if subject.startswith(EVERY_CONTEXT):
        return "*", subject[len(EVERY_CONTEXT) :]
    if not subject.startswith(":."):
        return DEFAULT, subject
    context, _, name = subject[1:].partition(":")
    return context, name


def qualified(context: str, name: str = "") -> str:
    """The subject of a name in a context; without a name, what configurations and modes of the context go by."""
    return name if context == DEFAULT else f":{context}:{name}"


def normalized(subject: str) -> str:
    """The one spelling of a subject: the default context is left out."""
    return qualified(*split(subject)) if subject[:1] == ":" else subject


def context_of(subject: str) -> str:
    """The context of a subject."""
    return DEFAULT if subject[:1] != ":" else split(subject)[0]


def in_context_of(parent: str, subject: str) -> str:
    """A subject as a schema of `parent` means it: without a context of its own it is of the parent's."""
    context, name = split(subject)
    return qualified(context_of(parent) if context == DEFAULT else context, name)


def normalized_context(context: str) -> str:
    """A context's name with its dot and without colons; raises SchemaInvalid where it has colons inside."""
    name = context.removeprefix(":").removesuffix(":")
    if ":" in name:
        raise SchemaInvalid("Context name cannot contain a colon", code="subject_invalid")
    return name if name.startswith(".") else f".{name}"


def topic_name(subject: str) -> str | None:
    """The topic whose values a subject of the default context describes: `<topic>-value`; None for another subject."""
    name = subject.removesuffix("-value")
    return None if name == subject else name


def require_valid(subject: str) -> None:
    """Raises SchemaInvalid of code `subject_invalid` for what is no printable text and for the reserved name."""
    if any(each in _CONTROL or "\ud800" <= each <= "\udfff" for each in subject) or split(subject)[1] == _GLOBAL:
        raise SchemaInvalid(f"The specified subject '{subject}' is not a valid.", code="subject_invalid")
