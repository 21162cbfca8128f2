"""What `exchange adapter check` finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (`error`: it would not run, or not say what it should) or doubtful (`warning`).

    `place` is `file:line:column` of the adapter file.
    """

    severity: Literal["error", "warning"]
    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}: {self.message}"
