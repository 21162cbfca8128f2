"""The adapter file: what of a legacy database becomes events, which events become rows, which table answers lookups.

`load_adapter` reads it; every wrong key, type or meaning is a SettingsError with `file:line:column`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import PrivateAttr, model_validator

from exchange.connect.config import Database, Model, Publication, Service, Subscription
from exchange.connect.rules import verify_rules
from exchange.ids import AgencyId
from exchange.settings import AgencyText
from exchange.yaml_file import read_yaml


class AdapterFile(Model):
    """One agency's adapter: what `adapters/<agency>/*.yaml` holds."""

    version: Literal[1]
    agency: AgencyText
    database: Database
    publishers: tuple[Publication, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    services: tuple[Service, ...] = ()
    _path: Path = PrivateAttr(default=Path("adapter.yaml"))

    @model_validator(mode="after")
    def _rules(self) -> Self:
        verify_rules(self.agency_id, self.publishers, self.subscriptions, self.services)
        return self

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def agency_id(self) -> AgencyId:
        """Whose database it is."""
        return AgencyId.parse(self.agency)


def load_adapter(path: Path, variables: Mapping[str, str]) -> AdapterFile:
    """Read an adapter file; `${NAME}` comes from `variables`. Raises SettingsError with file, line and column."""
    adapter = read_yaml(path, AdapterFile, variables)
    adapter._path = path
    return adapter
