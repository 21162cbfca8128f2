"""Which media type a request's body is in and its answer is written in, as Confluent's registry agrees on them."""

from __future__ import annotations

from functools import lru_cache

V1 = b"application/vnd.schemaregistry.v1+json"
"""What is answered where a client has no preference."""
_ANSWERED = (V1, b"application/vnd.schemaregistry+json", b"application/json")
_READ = frozenset({*_ANSWERED, b"application/octet-stream"})
_ANYTHING = (b"*/*", b"application/*")


@lru_cache(maxsize=256)
def answered_in(accept: bytes) -> bytes | None:
    """The media type to answer in for an Accept header; None where it takes none of ours.

    What the client weighs most; among equals the first of ours. The most specific range holds, its `q` 0 excludes.
    """
    if not accept.strip():
        return V1
    weights = _weights(accept)
    best = max(_ANSWERED, key=lambda ours: _weight(ours, weights))
    return best if _weight(best, weights) > 0 else None


@lru_cache(maxsize=256)
def is_read(content_type: bytes) -> bool:
    """Whether a body of this type is taken; its parameters do not matter."""
    media, _, _ = content_type.partition(b";")
    media = media.strip().lower()
    return media in _READ or media in _ANYTHING


def _weight(ours: bytes, weights: dict[bytes, float]) -> float:
    return next((weights[each] for each in (ours, b"application/*", b"*/*") if each in weights), 0.0)


def _weights(accept: bytes) -> dict[bytes, float]:
    weights: dict[bytes, float] = {}
    for each in accept.lower().split(b","):
        media, *parameters = (part.strip() for part in each.split(b";"))
        weights[media] = max(weights.get(media, 0.0), _q(parameters))
    return weights


def _q(parameters: list[bytes]) -> float:
    for each in parameters:
        name, _, value = each.partition(b"=")
        if name.strip() == b"q":
            return _number(value.strip())
    return 1.0


def _number(text: bytes) -> float:
    digits = text.replace(b".", b"", 1)
    return min(float(text), 1.0) if digits.isdigit() and len(digits) <= 4 else 0.0
