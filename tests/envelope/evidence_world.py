"""The operators of the small instance, its signed directory, and evidence made from its records."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import msgspec
import rfc8785

from exchange.envelope import Evidence, KafkaRecord, make_evidence
from exchange.trust import Operators, SigningKey, sign_directory

from .world import DIRECTORY_CONTENT, SCHEMA, seal_one

OPERATOR_KEYS = {f"operator-{number}": SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2, 3)}
OPERATORS = Operators(2, {keyid: key.public for keyid, key in OPERATOR_KEYS.items()})
STRANGE_KEY = SigningKey.from_seed(bytes([9]) * 32)


def operators_file() -> dict[str, Any]:
    """What `operators.json` holds."""
    return {"threshold": OPERATORS.threshold, "keys": {keyid: key.text for keyid, key in OPERATORS.keys.items()}}


def directory_content(**changes: Any) -> dict[str, Any]:
    """The directory's data, with other members at its top where told."""
    return deepcopy(DIRECTORY_CONTENT) | changes


def signed_directory(content: dict[str, Any] | None = None, signers: dict[str, SigningKey] | None = None) -> bytes:
    """The directory's envelope, signed by two of three operators unless told."""
    two = {keyid: OPERATOR_KEYS[keyid] for keyid in ("operator-1", "operator-2")}
    return sign_directory(content or DIRECTORY_CONTENT, two if signers is None else signers)


def evidence_of(record: KafkaRecord | None = None, directory: bytes | None = None) -> Evidence:
    """Evidence of one record, under the signed directory."""
    record = record or seal_one()
    text = None if record.value is None else SCHEMA.text
    return make_evidence(record, text, directory or signed_directory(), OPERATORS)


def changed(data: bytes, *path: str | int, to: Any) -> bytes:
    """The file with one member of its JSON replaced, written as it must be."""
    content = place = msgspec.json.decode(data)
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return rfc8785.dumps(content) + b"\n"
