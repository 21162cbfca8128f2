"""Keys that never leave an HSM: which ones, and where their PIN comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import SettingsError


@dataclass(frozen=True, slots=True)
class HsmKeyPlace:
    """Which keys are meant: those of a token with this label, and this CKA_ID where it is given (else any)."""

    module: Path
    token: str
    label: str
    id: bytes | None = None

    def __str__(self) -> str:
        return f"token {self.token}, key {self.label}" + (f", id {self.id.hex()}" if self.id else "")


@dataclass(frozen=True, slots=True)
class PinSource:
    """Where a PIN comes from: a variable of the environment, or a file. Never a command line, where anyone reads it."""

    variable: str | None = None
    file: Path | None = None
    environment: Mapping[str, str] | None = None

    def __call__(self) -> str:
        """The PIN, read anew; raises SettingsError that names the place."""
        if self.file is not None:
            pin, place = _first_line(self.file), str(self.file)
        else:
            variables = os.environ if self.environment is None else self.environment
            pin, place = variables.get(self.variable or "", ""), f"environment variable {self.variable}"
        if not pin:
            raise SettingsError(f"{place}: expected the token's PIN there")
        return pin


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot read the token's PIN there: {error}") from None
