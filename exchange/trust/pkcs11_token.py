"""One token of an HSM: its session, opened when needed and again after the token was pulled or the HSM restarted.

A process logs in to a token once, whoever uses it: so tokens are shared, and a PIN that was refused is not tried again
(an HSM locks the token after a few).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pkcs11

from exchange.errors import KeyUnavailable
from exchange.trust.pkcs11_module import Module, module_at

T = TypeVar("T")

_PIN_ERRORS = (
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.PinExpired,
    pkcs11.UserPinNotInitialized,
)
_tokens: dict[tuple[Path, str], Token] = {}
_registering = threading.Lock()


def token_of(module: Path, label: str) -> Token:
    """The process's one token of that label in that module."""
    with _registering:
        return _tokens.setdefault((module, label), Token(module_at(module), label))


class Token:
    """A token by its label. It need not be there yet."""

    def __init__(self, module: Module, label: str) -> None:
        self._module = module
        self._label = label
        self._session: pkcs11.Session | None = None
        self._start = 0
        self._refused: str | None = None

    def call(self, work: Callable[[pkcs11.Session], T], pin: Callable[[], str]) -> T:
        """What `work` gives, in a session that is logged in; where the present one is void, again in a new one.

        `pin` is asked at each login. Raises KeyUnavailable (retriable unless a PIN, a key or the mechanism is what is
        wrong), or SettingsError where there is no PIN, or no PKCS#11 module.
        """
        with self._module.lock:
            try:
                return self._try(work, self._present, lambda: self._reopened(pin), lambda: self._restarted(pin))
            except pkcs11.PKCS11Error as error:
                raise self._unavailable(error) from None

    def _try(self, work: Callable[[pkcs11.Session], T], *sessions: Callable[[], pkcs11.Session]) -> T:
        """The first of the sessions in which it works; raises what the last one does, or a refused PIN at once."""
        *first, last = sessions
        for session in first:
            try:
                return work(session())
            except _PIN_ERRORS:
                raise
            except pkcs11.PKCS11Error:
                pass
            self._forget()
        return work(last())

    def _present(self) -> pkcs11.Session:
        if self._session is None or self._start != self._module.starts:
            self._session = None
            raise pkcs11.SessionClosed
        return self._session

    def _reopened(self, pin: Callable[[], str]) -> pkcs11.Session:
        self._session = self._log_in(self._module.token(self._label), pin())
        self._start = self._module.starts
        return self._session

    def _restarted(self, pin: Callable[[], str]) -> pkcs11.Session:
        self._module.restart()
        return self._reopened(pin)

    def _log_in(self, token: pkcs11.Token, pin: str) -> pkcs11.Session:
        if pin == self._refused:
            raise pkcs11.PinIncorrect
        try:
            return token.open(user_pin=pin)
        except pkcs11.UserAlreadyLoggedIn:
            return token.open()
        except pkcs11.PinIncorrect:
            self._refused = pin
            raise

    def _forget(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(pkcs11.PKCS11Error):
                session.close()

    def _unavailable(self, error: pkcs11.PKCS11Error) -> KeyUnavailable:
        name, where = type(error).__name__, f"token {self._label} in {self._module.path}"
        if isinstance(error, _PIN_ERRORS):
            remedy = "put the right one where the settings say; it is not tried again before that"
            return KeyUnavailable(f"{where} refuses its PIN ({name}): {remedy}", retriable=False)
        if isinstance(error, pkcs11.NoSuchKey):
            return KeyUnavailable(f"{where} has no such key: {error}", retriable=False)
        if isinstance(error, pkcs11.MechanismInvalid):
            return KeyUnavailable(f"{where} does not sign with Ed25519 (CKM_EDDSA)", retriable=False)
        if isinstance(error, pkcs11.NoSuchToken):
            return KeyUnavailable(f"no {where}: is it plugged in, is its HSM up?")
        return KeyUnavailable(f"{where} does not answer as it should: {name} {error}".rstrip())
