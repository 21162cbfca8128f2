"""What the gateway counts. `outcome` is `permitted`, a denial's code (spec 8) or a failure's code."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

LOOKUPS = Counter("exchange_lookups_total", "Lookups by outcome", ["service", "outcome"])
LOOKUP_SECONDS = Histogram(
    "exchange_lookup_seconds",
    "Time from a lookup's parsed request to its answer",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
CONSENT_CHANGES = Counter("exchange_consent_changes_total", "Consents that came into a state", ["state"])
CONSENT_VIEW_AGE = Gauge(
    "exchange_consent_view_age_seconds", "Time since everything on the consent topic was known; NaN before that"
)
