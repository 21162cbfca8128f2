"""What the registry counts."""

from prometheus_client import Counter, Gauge

REQUESTS = Counter("exchange_registry_requests_total", "Requests answered", ["route", "status"])
REGISTRATIONS = Counter("exchange_registry_registrations_total", "Schema versions registered")
SCHEMAS = Gauge("exchange_registry_schemas", "Schemas known, by id")
SKIPPED = Counter("exchange_registry_skipped_records_total", "Records of _schemas that could not be read")
