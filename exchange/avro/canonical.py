"""The canonical form of a schema and its name (spec 2): what `ce_dataschema` carries.

canonical = RFC 8785 of the resolved schema             uri = "ni:///sha-256;" ‖ base64url(SHA-256(canonical))
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import rfc8785

_EXACT = 2**53 - 1


def canonical_form(resolved: Any) -> bytes:
    """RFC 8785 bytes of a resolved schema. Whole numbers past 2^53 are the doubles that they are in I-JSON."""
    return rfc8785.dumps(_as_double(resolved))


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
