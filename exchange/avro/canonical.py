"""The canonical form of a schema and its name (spec 2): what `ce_dataschema` carries.

canonical = RFC 8785 of the resolved schema             uri = "ni:///sha-256;" ‖ base64url(SHA-256(canonical))
"""

from __future__ import annotations

import base64
import hashlib
import re
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
    if not _is_uncertain(quick) or _is_plain(resolved):
        return quick
    return rfc8785.dumps(_as_double(resolved))


def _is_uncertain(text: bytes) -> bool:
    if len(text) > _AT_ONCE:
        return any(_is_uncertain(text[at : at + _AT_ONCE]) for at in range(0, len(text), _AT_ONCE - 16))
    if _NUMBER.search(text) is not None:
        return True
    return not text.isascii() and _PAST_SURROGATES.search(text.decode("utf-8", "replace")) is not None


def _is_plain(value: Any) -> bool:
    """Whether there are no doubles, long numbers, or keys past ASCII: only texts that look like them."""
    if isinstance(value, dict):
        return all(key.isascii() and _is_plain(value[key]) for key in value)
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, float) and (not isinstance(value, int) or abs(value) <= _EXACT)


def schema_uri(canonical: bytes) -> str:
    """The RFC 6920 name of a canonical form, base64url without padding."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=")
    return "ni:///sha-256;" + digest.decode("ascii")


def _as_double(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_double(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_double(each) for each in value]
    if isinstance(value, int) and abs(value) > _EXACT:
        return float(value)
    return value
