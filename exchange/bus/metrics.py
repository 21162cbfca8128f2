"""What the bus counts. Labels are bounded: topics, publishers, groups and codes; never a key or an identifier."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

PUBLISHED = Counter("exchange_published_total", "Events committed to a topic", ["topic", "publisher"])
CONSUMED = Counter("exchange_consumed_total", "Events verified and committed by a group", ["topic", "group"])
REFUSED = Counter("exchange_refused_total", "Records that did not verify, by the code of the step", ["topic", "code"])
DEAD_LETTERS = Counter("exchange_dead_letters_total", "Records kept as dead letters", ["topic", "code"])
RETRIES = Counter(
    "exchange_retries_total",
    "Records a handler failed on, put on a back-off topic",
    ["topic", "group", "retry", "code"],
)
HANDLED = Counter("exchange_handler_attempts_total", "Calls of a handler, by outcome", ["topic", "group", "outcome"])
PAUSES = Counter("exchange_handler_pauses_total", "Times a group paused since every record failed", ["group", "code"])
PAUSED = Gauge("exchange_handler_paused", "1 while a group waits for what its handler depends on", ["group"])
SEQUENCE_GAPS = Counter("exchange_sequence_gaps_total", "Holes in a publisher's sequence", ["topic"])
SEQUENCE_REPLAYS = Counter("exchange_sequence_replays_total", "Records that came again, refused", ["topic"])
SEQUENCE_FORKS = Counter(
    "exchange_sequence_forks_total", "Records refused for a number at which their publisher wrote another", ["topic"]
)
CONSUMER_LAG = Gauge(
    "exchange_consumer_lag", "Offsets between a group's place and the end", ["topic", "partition", "group"]
)
COMMIT_SECONDS = Histogram(
    "exchange_publish_commit_seconds", "From sealed to committed, one transaction", ["publisher"], buckets=_SECONDS
)
OPEN_SECONDS = Histogram("exchange_consume_open_seconds", "Verifying one batch", ["topic", "group"], buckets=_SECONDS)
SCHEMA_WAITS = Counter("exchange_schema_waits_total", "Pauses of a group while the registry was away", ["group"])
ASSIGNMENTS_LOST = Counter(
    "exchange_assignments_lost_total", "Batches whose partition had moved away before they were committed", ["group"]
)
UNVERIFIED = Counter(
    "exchange_unverified_total", "Events handed out with verification off: development only", ["topic", "group"]
)
IN_FLIGHT = Gauge("exchange_publish_in_flight_bytes", "Bytes taken to publish and not yet committed", ["publisher"])
FLUSHES = Counter("exchange_publish_flushes_total", "Transactions committed, by what made them", ["publisher", "cause"])
RECOVERIES = Counter(
    "exchange_publish_recoveries_total", "Commits whose outcome was lost, by what was found", ["publisher", "outcome"]
)
KEY_EXPIRES = Gauge("exchange_key_expires_seconds", "Until the signing key expires in the directory", ["publisher"])
