"""The console's own metrics."""

from __future__ import annotations

from prometheus_client import Counter

SCRAPES = Counter("exchange_console_scrapes", "Scrapes of processes, by outcome", ["outcome"])
"""Outcome: `answered` or `failed`."""
