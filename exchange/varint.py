"""Zigzag varints: how Avro writes an int or long, and Kafka the lengths and deltas of a record. Hot.

A number n is written as 2n, or as -2n - 1 below zero: seven bits a byte, the lowest first; each byte but the last has
its highest bit set.
"""

from __future__ import annotations


def varint(number: int) -> bytes:
    """A number of at least zero, without the zigzag."""
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


SHORT = tuple(map(varint, range(1 << 14)))
"""The varints of at most two bytes."""
_PAIRS = tuple(bytes((low | 128, high | 128)) for high in range(128) for low in range(128))
"""The two bytes of 14 bits that others follow."""


def zigzag(number: int) -> bytes:
    """A whole number of any sign."""
    rest = number + number if number >= 0 else -number - number - 1
    if rest < 1 << 14:
        return SHORT[rest]
    if rest < 1 << 28:
        return _PAIRS[rest & 16383] + SHORT[rest >> 14]
    if rest < 1 << 42:
        return _PAIRS[rest & 16383] + _PAIRS[rest >> 14 & 16383] + SHORT[rest >> 28]
    return _PAIRS[rest & 16383] + _PAIRS[rest >> 14 & 16383] + varint(rest >> 28)
