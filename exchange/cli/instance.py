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
from exchange.settings import Pkcs11Settings, Settings, load_settings
from exchange.transport.http import Credentials
from exchange.trust import (
    Directory,
    DirectoryFile,
    HsmKeyPlace,
    KeyFiles,
    KeyStore,
    Operators,
    PinSource,
    RotatingSigner,
    SigningKey,
    load_directory,
    open_hsm,
)

_FILE_INTERVAL, _HSM_INTERVAL = 1.0, 10.0  # seconds between two looks for a new key
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
        """Where an agency's private key lies, unless the settings say otherwise: `<subsystem>.pem`.

        A rotation puts `<subsystem>.<anything>.pem` beside it.
        """
        return self.home / "secrets" / "agencies" / agency.klass.lower() / agency.member / f"{agency.subsystem}.pem"

    def key_store(self, agency: AgencyId) -> KeyStore:
        """The keys of `agency` that are here; raises SettingsError."""
        place = self.settings.keys.get(str(agency))
        if place is None or place.pkcs11 is None:
            return KeyFiles((place and place.file) or self.key_path(agency), self.passphrase)
        pin = PinSource(place.pkcs11.pin_variable, place.pkcs11.pin_file, self.environment)
        return open_hsm(_hsm_place(place.pkcs11), pin)

    def credentials(self, agency: AgencyId) -> Credentials:
        """What `agency` signs with, rotated while the process lives.

        Raises SettingsError where its key is not here or not in the directory, KeyUnavailable from an HSM.
        """
        store = self.key_store(agency)
        interval = _FILE_INTERVAL if isinstance(store, KeyFiles) else _HSM_INTERVAL
        return Credentials(agency, RotatingSigner(store, agency, self.directory, self.clock, interval=interval))

    def log_key(self) -> SigningKey:
        """The audit log's key; raises SettingsError."""
        return SigningKey.load(self.home / "secrets" / "audit-log.pem", self.passphrase)

    def operator_keys(self) -> dict[str, SigningKey]:
        """The operators' private keys that are here, by key id."""
        paths = sorted((self.home / "secrets" / "operators").glob("*.pem"))
        return {path.stem: SigningKey.load(path, self.passphrase) for path in paths}

    @property
    def passphrase(self) -> bytes | None:
        """What key files are encrypted with, from EXCHANGE_KEY_PASSPHRASE; None for keys in the clear."""
        text = self.environment.get(_PASSPHRASE)
        return text.encode() if text else None


def _hsm_place(settings: Pkcs11Settings) -> HsmKeyPlace:
    key_id = None if settings.id is None else bytes.fromhex(settings.id)
    return HsmKeyPlace(settings.module, settings.token, settings.label, key_id)
