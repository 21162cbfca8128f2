"""How long a signing key is still good for.

A record whose key was valid when it was sealed verifies for ever (spec 3, step 5): a key's last minute is as good as
its first. But a commit whose answer is lost may have to be sealed again until the publisher's patience ends, and a
rotation that was forgotten is better met while there is time for it than in the middle of one. So a publisher takes
nothing more once less than a margin is left: 10 minutes, as far as step 5 lets a statement be from its record.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from exchange.bus import metrics
from exchange.errors import KeyNotValid
from exchange.ids import PublisherId
from exchange.trust import Agency, PublicKey

log = structlog.get_logger()

KEY_MARGIN = timedelta(minutes=10)
"""What must be left of a key's validity to publish with it."""

_SOON = timedelta(days=14)
_REMINDER = timedelta(hours=12)


class KeyLife:
    """Watches the validity of one publisher's key: refuses what is too late, and warns of it before."""

    def __init__(self, publisher: PublisherId, margin: timedelta) -> None:
        self._publisher = publisher
        self._margin = margin
        self._warned: datetime | None = None

    def require(self, agency: Agency, public: PublicKey, now: datetime) -> None:
        """Raises KeyNotValid (`key_expires`) where less than the margin is left. The key is one that is valid now."""
        until = max((key.not_after for key in agency.keys_at(now) if key.public.raw == public.raw), default=now)
        left = until - now
        metrics.KEY_EXPIRES.labels(str(self._publisher)).set(left.total_seconds())
        if left < self._margin:
            raise KeyNotValid(
                f"the signing key {public.fingerprint} of {agency.id} expires at {until.isoformat()}, and "
                f"{self._publisher} stops {self._margin} before: publish a new key in the directory and sign with it",
                code="key_expires",
            )
        if left < _SOON:
            self._warn(public, until, now)

    def _warn(self, public: PublicKey, until: datetime, now: datetime) -> None:
        if self._warned is None or now - self._warned >= _REMINDER:
            self._warned = now
            log.warning(
                "key_expires_soon", publisher=str(self._publisher), key=public.fingerprint, until=until.isoformat()
            )
