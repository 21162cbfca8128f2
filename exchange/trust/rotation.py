"""Rotating keys without a restart: of the keys that are here, the one that the directory has valid since last.

The directory alone decides when a new key signs. So a new key can lie ready, in a file or on a token, long before it
is published, and the old one signs until then; a process that starts in between finds both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
from typing import Protocol

import structlog

from exchange.clock import Clock
from exchange.errors import ExchangeError, SettingsError
from exchange.ids import AgencyId
from exchange.trust.directory import Directory, Key
from exchange.trust.keys import PublicKey, Signer

log = structlog.get_logger()


class KeyStore(Protocol):
    """Where an agency's private keys lie: files here, an HSM elsewhere."""

    def load(self) -> Mapping[str, Signer]:
        """The keys that are there now, one or more, by where each is. May wait for an HSM.

        Raises SettingsError or KeyUnavailable.
        """
        ...


class RotatingSigner:
    """Signs for one agency, with whichever of its keys the directory has valid since last. For several threads.

    The store is looked at again, in a thread of its own, when the directory has a newer key than the present one, and
    at most once in `interval` seconds. While no other key is valid and here, the present one stays.
    """

    def __init__(
        self,
        store: KeyStore,
        agency: AgencyId,
        directory: Callable[[], Directory],
        clock: Clock,
        *,
        interval: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        executor: Executor | None = None,
    ) -> None:
        """Raises SettingsError or KeyUnavailable as the store; SettingsError where the directory has none of its keys.

        A key that is not valid now is taken where there is no better: whoever signs with it is told so.
        """
        self._store = store
        self._agency = agency
        self._directory = directory
        self._clock = clock
        self._interval = interval
        self._monotonic = monotonic
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._lock = Lock()
        self._looking: Future[Mapping[str, Signer]] | None = None
        self._looked = monotonic()
        self._keys = {key.public: key for key in store.load().values()}
        self._signer = self._first()

    @property
    def public(self) -> PublicKey:
        """The public half of the key of this moment: for showing; who signs takes `current()`."""
        return self.current().public

    def sign(self, message: bytes) -> bytes:
        """64 bytes by the key of this moment: for messages that do not name their key; others take `current()`."""
        return self.current().sign(message)

    def current(self) -> Signer:
        """The signer to use for one thing to sign. Never waits, and never raises."""
        with self._lock:
            valid = [key.public for key in self._valid()]
            self._switch(valid)
            if valid and valid[0] != self._signer.public and self._may_look():
                self._looking = self._executor.submit(self._store.load)
                self._switch(valid)
            return self._signer

    def _first(self) -> Signer:
        entry = self._directory().agency(self._agency)
        others = sorted(entry.keys, key=lambda key: key.not_after, reverse=True) if entry else []
        for key in (*self._valid(), *others):
            if key.public in self._keys:
                return self._keys[key.public]
        here = ", ".join(public.fingerprint for public in self._keys)
        raise SettingsError(f"{self._store}: the directory has no such key of {self._agency} as is there: {here}")

    def _valid(self) -> list[Key]:
        """The agency's keys that are valid now, the newest first."""
        entry = self._directory().agency(self._agency)
        keys = entry.keys_at(self._clock.now()) if entry else ()
        return sorted(keys, key=lambda key: (key.not_before, key.not_after), reverse=True)

    def _switch(self, valid: Sequence[PublicKey]) -> None:
        if self._looking is not None and self._looking.done():
            found, self._looking = self._looking, None
            self._take(found)
        best = next((self._keys[public] for public in valid if public in self._keys), self._signer)
        if best.public != self._signer.public:
            log.info("signing_key_rotated", agency=str(self._agency), key=best.public.fingerprint)
        self._signer = best

    def _take(self, found: Future[Mapping[str, Signer]]) -> None:
        try:
            keys = found.result().values()
        except ExchangeError as error:
            log.error("keys_not_read", agency=str(self._agency), reason=error.message)
            return
        # The present key stays, also where its file was overwritten with one that the directory does not have yet.
        self._keys = {key.public: key for key in (*keys, self._signer)}

    def _may_look(self) -> bool:
        now = self._monotonic()
        if self._looking is not None or now - self._looked < self._interval:
            return False
        self._looked = now
        return True
