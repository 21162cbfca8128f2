"""What an adapter counts. Labels are names of the adapter file and codes; never values of rows."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ROWS = Counter("exchange_adapter_rows", "Rows captured (out) or written (in)", ["agency", "table", "direction"])
POSITION = Gauge("exchange_adapter_position", "Last committed cursor value of a publisher", ["agency", "publisher"])
LAG_ROWS = Gauge("exchange_adapter_lag_rows", "Cursor distance a publisher is behind its table", ["agency", "table"])
LAG_SECONDS = Gauge(
    "exchange_adapter_lag_seconds",
    "Age of the newest event when it was written to a table",
    ["agency", "table"],
)
ERRORS = Counter("exchange_adapter_errors", "Failures, retried or not, by code", ["code"])
REFUSED = Counter("exchange_adapter_refused", "Rows and events kept as dead letters", ["agency", "table", "direction"])
LOOKUPS = Counter("exchange_adapter_lookups", "Lookups answered or refused, by outcome", ["service", "outcome"])
