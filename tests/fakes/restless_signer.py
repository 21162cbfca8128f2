"""A signer in the middle of a rotation: each look at it meets another key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from exchange.trust import PublicKey, SigningKey


class RestlessSigner:
    """Takes turns with its keys, at every call: whoever signs with it has to take `current()`, once."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self._keys = cycle(keys)

    @property
    def public(self) -> PublicKey:
        """The next key's public half."""
        return next(self._keys).public

    def sign(self, message: bytes) -> bytes:
        """64 bytes by the next key."""
        return next(self._keys).sign(message)

    def current(self) -> SigningKey:
        """The next key."""
        return next(self._keys)
