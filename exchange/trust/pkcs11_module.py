"""A PKCS#11 module in this process: one call at a time enters it, and it can be started anew.

Not every module takes several threads, and none takes a C_Finalize beside another call: hence the lock.
"""

from __future__ import annotations

import threading
from pathlib import Path

import pkcs11

from exchange.errors import SettingsError

_modules: dict[Path, Module] = {}
_registering = threading.Lock()


def module_at(path: Path) -> Module:
    """The process's one module of that library; loaded when first used."""
    with _registering:
        return _modules.setdefault(path, Module(path))


class Module:
    """Whoever calls into the module holds `lock`. After a restart every session is void: `starts` says of which."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.starts = 0

    def token(self, label: str) -> pkcs11.Token:
        """The token of that label; raises pkcs11.NoSuchToken, or SettingsError where the library does not load."""
        try:
            library = pkcs11.lib(str(self.path))
        except pkcs11.PKCS11Error as error:
            raise SettingsError(f"{self.path}: not a PKCS#11 module that loads: {error}") from None
        return library.get_token(token_label=label)

    def restart(self) -> None:
        """Start it anew: a module knows the tokens, and what they hold, as they were when it was initialized."""
        self.starts += 1
        pkcs11.lib(str(self.path)).reinitialize()
