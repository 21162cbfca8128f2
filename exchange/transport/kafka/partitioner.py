"""Which partition a key belongs to: murmur2, as Kafka's default partitioner does (spec 2)."""

from __future__ import annotations

from functools import lru_cache
from struct import Struct

_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C


def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key among `partitions`."""
    return 0 if partitions == 1 else (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """MurmurHash2, 32 bits, with Kafka's seed; unsigned."""
    length = len(key)
    mixed = _SEED ^ length
    for word in _words(length // 4).unpack_from(key):
        scrambled = word * _MULTIPLIER & _MASK
        scrambled ^= scrambled >> 24
        mixed = (mixed * _MULTIPLIER & _MASK) ^ (scrambled * _MULTIPLIER & _MASK)
    tail = key[length & ~3 :]
    if tail:
        mixed = (mixed ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _MASK
    mixed ^= mixed >> 13
    mixed = mixed * _MULTIPLIER & _MASK
    return mixed ^ (mixed >> 15)


@lru_cache(maxsize=512)
def _words(count: int) -> Struct:
    return Struct(f"<{count}I")
