"""The canonical form of a schema and its name (spec 2): what `ce_dataschema` carries.

canonical = RFC 8785 of the resolved schema             uri = "ni:///sha-256;" ‖ base64url(SHA-256(canonical))
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import rfc8785

_EXACT = 2**53 - 1
_SORTED = msgspec.json.Encoder(order="sorted")
_NUMBER = re.compile(rb"[0-9](?:[.eE]|[0-9]{15})")
"""What may be a number that RFC 8785 writes in another way: a double, or a long one."""
_PAST_SURROGATES = re.compile("[\ue000-\U0010ffff]")
"""What RFC 8785 sorts in another way where it is in a key."""
_AT_ONCE = 1 << 16
"""What is searched in one go: one search of megabytes would hold all other threads up."""


def canonical_form(resolved: Any) -> bytes:
    """RFC 8785 bytes of a resolved schema. Whole numbers past 2^53 are the doubles that they are in I-JSON."""
    quick = _SORTED.encode(resolved)
    if not quick.isascii() and any(_PAST_SURROGATES.search(each.decode("utf-8", "replace")) for each in _pieces(quick)):
        return rfc8785.dumps(_with(float, resolved))
    if any(_NUMBER.search(each) for each in _pieces(quick)):
        return _SORTED.encode(_with(_written, resolved))
    return quick


def _pieces(text: bytes) -> Iterator[bytes]:
    return (text[at : at + _AT_ONCE] for at in range(0, len(text), _AT_ONCE - 16))


def _written(number: float) -> msgspec.Raw:
    return msgspec.Raw(rfc8785.dumps(float(number)))


def schema_uri(canonical: bytes) -> str:
    """The RFC 6920 name of a canonical form, base64url without padding."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=")
    return "ni:///sha-256;" + digest.decode("ascii")


def _with(change: Callable[[float], Any], value: Any) -> Any:
    """The same JSON with doubles, and numbers that can only be doubles, changed."""
    if isinstance(value, dict):
        return {key: _with(change, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with(change, each) for each in value]
    if isinstance(value, float) or (isinstance(value, int) and abs(value) > _EXACT):
        return change(value)
    return value
