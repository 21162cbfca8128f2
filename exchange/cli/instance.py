"""An instance's home folder: settings, directory, keys and pepper, as every command needs them.

HOME/exchange.yaml                 settings                HOME/directory.json   signed by the operators
HOME/operators.json                the operators' keys     HOME/secrets/         private keys and the pepper
HOME/run/  logs/                   what runs now           HOME/kafka/  audit/   data of the single node, tiles
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.clock import Clock, SystemClock
from exchange.errors import SettingsError
from exchange.ids import AgencyId
from exchange.settings import Settings, load_settings
from exchange.transport.http import Credentials
from exchange.trust import Directory, DirectoryFile, Operators, SigningKey, load_directory

_PASSPHRASE = "EXCHANGE_KEY_PASSPHRASE"  # noqa: S105  (the variable's name)


@dataclass(frozen=True)
class Instance:
    """Opened lazily, once: a command reads only the parts it uses."""

    home: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    clock: Clock = field(default_factory=SystemClock)

    @functools.cached_property
    def settings(self) -> Settings:
        """From `exchange.yaml` and the environment; raises SettingsError."""
        return load_settings(self.home, self.environment)

    @functools.cached_property
    def operators(self) -> Operators:
        """The operators' public keys; raises SettingsError."""
        return Operators.load(self.home / "operators.json")

    @functools.cached_property
    def directory(self) -> DirectoryFile:
        """The directory, followed while the process lives; raises SettingsError or a TrustError."""
        return DirectoryFile(self.home / "directory.json", self.operators, self.clock)

    def past_directory(self) -> Directory:
        """The directory here, expired or not: for proofs of the past; raises SettingsError or DocumentInvalid."""
        return load_directory(self.home / "directory.json", self.operators, None)

    @functools.cached_property
    def pepper(self) -> bytes:
        """The instance's 32-byte pepper for pseudonyms (spec 1); raises SettingsError."""
        path = self.home / "secrets" / "pepper"
        try:
            return bytes.fromhex(path.read_text().strip())
        except (FileNotFoundError, ValueError):
            raise SettingsError(f"{path}: expected 64 hexadecimal digits; `exchange init` creates it") from None

    @property
    def variables(self) -> dict[str, str]:
        """What `${NAME}` stands for in adapter files: `variables` of the settings, then the environment."""
        return {**self.settings.variables, **self.environment}

    def key_path(self, agency: AgencyId) -> Path:
        """Where an agency's private key lies."""
        return self.home / "secrets" / "agencies" / agency.klass.lower() / agency.member / f"{agency.subsystem}.pem"

    def credentials(self, agency: AgencyId) -> Credentials:
        """What `agency` signs with; raises SettingsError where its key is not here or not in the directory."""
        key = SigningKey.load(self.key_path(agency), self._passphrase)
        entry = self.directory().agency(agency)
        if entry is None or all(each.public != key.public for each in entry.keys):
            raise SettingsError(f"{self.key_path(agency)}: the directory has no such key of {agency}")
        return Credentials(agency, key)

    def log_key(self) -> SigningKey:
        """The audit log's key; raises SettingsError."""
        return SigningKey.load(self.home / "secrets" / "audit-log.pem", self._passphrase)

    def operator_keys(self) -> dict[str, SigningKey]:
        """The operators' private keys that are here, by key id."""
        paths = sorted((self.home / "secrets" / "operators").glob("*.pem"))
        return {path.stem: SigningKey.load(path, self._passphrase) for path in paths}

    @property
    def _passphrase(self) -> bytes | None:
        text = self.environment.get(_PASSPHRASE)
        return text.encode() if text else None
