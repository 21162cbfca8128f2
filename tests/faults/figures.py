"""Figures of a fault, for whoever writes the operators' guide: printed, with `pytest -s` or EXCHANGE_FAULTS=long."""

from __future__ import annotations

import sys
from collections import Counter

from tests.faults.load import Load


def note(fault: str, load: Load) -> None:
    """How long work stood, and what was survived."""
    survived = dict(Counter(f"{type(error).__name__}" for error in load.errors))
    stood = ", ".join(f"longest without {what} {seconds:.1f} s" for what, seconds in load.longest.items())
    sys.stderr.write(f"\n{fault}: {load.rows} rows; {stood}; copy begun anew after {survived or 'nothing'}\n")
