"""What a rule set must be like to be kept."""

from __future__ import annotations

import re
from collections.abc import Sequence

from exchange.errors import SchemaInvalid
from exchange.registry.entities import Rule, RuleSet

_NAME = re.compile(r"[^\W\d]\w*")
_MIGRATION = frozenset({"UPGRADE", "DOWNGRADE", "UPDOWN"})
_DOMAIN = frozenset({"WRITE", "READ", "WRITEREAD"})


def require_valid_rules(rule_set: RuleSet | None) -> None:
    """Raises SchemaInvalid of code `rules_invalid`, in Confluent's words."""
    if rule_set is not None:
        _require(rule_set.migration_rules or (), _MIGRATION, "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN")
        _require(rule_set.domain_rules or (), _DOMAIN, "Domain rules can only be WRITE, READ, WRITEREAD")
        _require(rule_set.encoding_rules or (), _DOMAIN, "Encoding rules can only be WRITE, READ, WRITEREAD")


def _require(rules: Sequence[Rule], modes: frozenset[str], otherwise: str) -> None:
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            raise _invalid(f"Found rule with duplicate name '{rule.name}'")
        _require_name(rule.name)
        names.add(str(rule.name))
        if rule.type is None:
            raise _invalid("Missing rule type")
        if rule.mode not in modes:
            raise _invalid(otherwise)


def _require_name(name: str | None) -> None:
    if name is None:
        raise _invalid("Missing rule name")
    if not name:
        raise _invalid("Empty rule name")
    if not _NAME.fullmatch(name):
        place = "initial character" if not _NAME.match(name) else "character"
        raise _invalid(f"Illegal {place} in rule name: {name}")


def _invalid(reason: str) -> SchemaInvalid:
    return SchemaInvalid(reason, code="rules_invalid")
