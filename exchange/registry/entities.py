"""What the registry's requests, answers and records are made of, named and written as Confluent's JSON has them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from typing import Any, Literal, TypeVar

import msgspec

_T = TypeVar("_T")
AVRO = "AVRO"
LATEST = -1
"""The version number that means the newest one."""


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named type that a schema takes from another: the type's `name`, and the `subject` and `version` that hold it.

    In a request anything may be missing; `version` -1 is the newest.
    """

    name: str | None = None
    subject: str | None = None
    version: int | None = None


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known about a schema: tags by path, properties, and which properties are sensitive; sorted by name."""

    tags: dict[str, list[str]] | None = None
    properties: dict[str, str] | None = None
    sensitive: list[str] | None = None

    def __post_init__(self) -> None:
        """Sort: two that say the same are equal, and hash alike."""
        if self.tags is not None:
            _set(self, "tags", {key: sorted(set(self.tags[key])) for key in sorted(self.tags)})
        if self.properties is not None:
            _set(self, "properties", dict(sorted(self.properties.items())))
        if self.sensitive is not None:
            _set(self, "sensitive", sorted(set(self.sensitive)))


class Rule(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A rule that clients apply to what they write or read; the registry keeps it and does not run it."""

    name: str | None = None
    doc: str | None = None
    kind: Literal["TRANSFORM", "CONDITION"] | None = None
    mode: Literal["UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD"] | None = None
    type: str | None = None
    tags: list[str] | None = None
    params: dict[str, str] | None = None
    expr: str | None = None
    on_success: str | None = None
    on_failure: str | None = None
    disabled: bool | None = None

    def __post_init__(self) -> None:
        """Fill in what a rule is that does not say; sort its tags and parameters."""
        _set(self, "kind", self.kind or "TRANSFORM")
        _set(self, "mode", self.mode or "WRITEREAD")
        _set(self, "disabled", bool(self.disabled))
        _set(self, "tags", sorted(set(self.tags)) if self.tags else None)
        _set(self, "params", dict(sorted(self.params.items())) if self.params else None)


class RuleSet(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The rules of a schema, by when they apply."""

    migration_rules: list[Rule] | None = None
    domain_rules: list[Rule] | None = None
    encoding_rules: list[Rule] | None = None


class SchemaRequest(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a registration, a lookup and a compatibility check. Members that are not known are ignored."""

    schema: str | None = None
    schema_type: str | None = None
    references: tuple[Reference, ...] | None = None
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    version: int | None = None
    id: int | None = None


class SchemaVersion(msgspec.Struct, frozen=True, gc=False):
    """One version of a subject (with its context). `text` is the schema as it came."""

    subject: str
    version: int
    id: int
    text: str
    deleted: bool = False
    schema_type: str = AVRO
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None

    @property
    def content(self) -> bytes:
        """The MD5 that Confluent knows a schema by (`content_md5`)."""
        return content_md5(self.text, self.references, self.metadata, self.rule_set)

    @property
    def guid(self) -> str:
        """The same for the same schema in every registry: its content's MD5, written as a UUID."""
        return str(uuid.UUID(bytes=self.content))


class Config(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How a subject, a context or the whole registry is configured; None is not configured."""

    alias: str | None = None
    normalize: bool | None = None
    validate_fields: bool | None = None
    compatibility_level: str | None = None
    compatibility_group: str | None = None
    default_metadata: Metadata | None = None
    override_metadata: Metadata | None = None
    default_rule_set: RuleSet | None = None
    override_rule_set: RuleSet | None = None

    def over(self, below: Config) -> Config:
        """This configuration, with what it leaves open taken from `below`."""
        return msgspec.structs.replace(below, **_said(self))


class ConfigUpdate(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a configuration: what is absent stays, what is null is taken back."""

    alias: str | msgspec.UnsetType | None = msgspec.UNSET
    normalize: bool | msgspec.UnsetType | None = msgspec.UNSET
    validate_fields: bool | msgspec.UnsetType | None = msgspec.UNSET
    compatibility: str | msgspec.UnsetType | None = msgspec.UNSET
    compatibility_group: str | msgspec.UnsetType | None = msgspec.UNSET
    default_metadata: Metadata | msgspec.UnsetType | None = msgspec.UNSET
    override_metadata: Metadata | msgspec.UnsetType | None = msgspec.UNSET
    default_rule_set: RuleSet | msgspec.UnsetType | None = msgspec.UNSET
    override_rule_set: RuleSet | msgspec.UnsetType | None = msgspec.UNSET

    def applied_to(self, config: Config) -> Config:
        """The configuration after this update."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        level = fields.pop("compatibility")
        fields["compatibility_level"] = level.upper() if isinstance(level, str) else level
        changed = {name: value for name, value in fields.items() if value is not msgspec.UNSET}
        return msgspec.structs.replace(config, **changed)


def merged_metadata(below: Metadata | None, above: Metadata | None) -> Metadata | None:
    """Both together; where both name a tag or a property, `above` holds."""
    if below is None or above is None:
        return above if below is None else below
    return Metadata(
        _merged(below.tags, above.tags),
        _merged(below.properties, above.properties),
        [*(below.sensitive or ()), *(above.sensitive or ())] or None,
    )


def merged_rules(below: RuleSet | None, above: RuleSet | None) -> RuleSet | None:
    """Both together; where both have a rule of one name, that of `above` holds."""
    if below is None or above is None:
        return above if below is None else below
    return RuleSet(
        *(_merged_rules(getattr(below, name), getattr(above, name)) for name in RuleSet.__struct_fields__),
    )


def content_md5(
    text: str, references: Iterable[Reference], metadata: Metadata | None, rule_set: RuleSet | None
) -> bytes:
    """The MD5 that Confluent knows a schema by: its text, references, metadata and rules, in this order."""
    md5 = hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False)
    for reference in references:
        md5.update(f"{reference.name}{reference.subject}".encode("utf-8", "surrogatepass"))
        md5.update((reference.version or 0).to_bytes(4, "big", signed=True))
    if metadata is not None:
        _update(md5, ["\x01", *_metadata_words(metadata)])
    if rule_set is not None:
        _update(md5, ["\x01", *_rule_words(rule_set)])
    return md5.digest()


def _update(md5: hashlib._Hash, words: Iterable[str]) -> None:
    for word in words:
        md5.update(word.encode("utf-8", "surrogatepass"))


def _metadata_words(metadata: Metadata) -> Iterable[str]:
    for path, tags in (metadata.tags or {}).items():
        yield path
        yield from tags
    for name, value in (metadata.properties or {}).items():
        yield name
        yield value
    yield from metadata.sensitive or ()


def _rule_words(rule_set: RuleSet) -> Iterable[str]:
    for rules in (rule_set.migration_rules, rule_set.domain_rules, rule_set.encoding_rules):
        for rule in rules or ():
            yield from _words_of(rule)


def _words_of(rule: Rule) -> Iterable[str]:
    said = [rule.name, rule.doc, rule.kind, rule.mode, rule.type]
    yield from (each for each in said if isinstance(each, str))
    yield from rule.tags or ()
    for name, value in (rule.params or {}).items():
        yield name
        yield value
    yield from (each for each in (rule.expr, rule.on_success, rule.on_failure) if isinstance(each, str))
    if rule.disabled:
        yield "\x01"


def _merged(below: dict[str, _T] | None, above: dict[str, _T] | None) -> dict[str, _T] | None:
    return {**below, **above} if below and above else above or below


def _merged_rules(below: list[Rule] | None, above: list[Rule] | None) -> list[Rule] | None:
    if not below or not above:
        return above or below
    names = {rule.name for rule in above}
    return [*(rule for rule in below if rule.name not in names), *above]


def _said(config: Config) -> dict[str, Any]:
    fields = {name: getattr(config, name) for name in config.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not None}


_set = msgspec.structs.force_setattr
