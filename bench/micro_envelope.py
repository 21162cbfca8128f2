"""What sealing and opening cost on this machine, a record: 2,000 records of a 236-byte value with 8 headers.

python bench/micro_envelope.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

from exchange.avro import RegisteredSchema, Schema, frame
from exchange.clock import format_micros, to_unix_millis
from exchange.envelope import EventHeaders, KafkaRecord, Opener, Sealer, Unsealed
from exchange.ids import AgencyId, PublisherId, uuid7
from exchange.trust import Directory, SigningKey

TOPIC = "gov.interior.civil.residence-changed.v1"
PUBLISHER = PublisherId.parse("UZ/GOV/interior/civil/residences")
NOW = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
RECORDS = 2_000
ROUNDS = 15
FIELDS = ("pinfl", "family_name", "given_name", "birth_date", "region_code", "district_code", "address", "changed_at")


class Schemas:
    """One schema, under number 1."""

    def __init__(self, schema: Schema) -> None:
        self._registered = RegisteredSchema(1, schema)

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema under 1."""
        return self._registered if schema_id == 1 else None


def directory_of(key: SigningKey) -> Directory:
    """A directory of one agency with one topic."""
    validity = {"public": key.public.text, "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-01-01T00:00:00Z"}
    subsystem = {"name": "civil", "keys": [validity], "topics": [{"name": TOPIC, "publishers": ["residences"]}]}
    content = {
        "instance": "UZ",
        "version": 1,
        "issued": "2026-01-01T00:00:00Z",
        "expires": "2099-01-01T00:00:00Z",
        "registry_url": "http://127.0.0.1:1",
        "audit_log": {"origin": "log", "url": "http://127.0.0.1:1", "key": validity},
        "gateways": [],
        "members": [{"id": "UZ/GOV/interior", "name": "Interior", "status": "active", "subsystems": [subsystem]}],
    }
    return Directory.parse(json.dumps(content).encode(), "")


def arrived(offset: int, record: Unsealed, seal: bytes) -> KafkaRecord:
    """The record as a consumer gets it: every string decoded anew."""
    headers = tuple((name.encode().decode(), value) for name, value in [*record.headers, ("exchange-seal", seal)])
    return KafkaRecord(TOPIC, 0, offset, to_unix_millis(NOW), record.key, record.value, headers)


def best(run: Callable[[], object]) -> float:
    """Microseconds a record, the best of the rounds."""
    costs = []
    for _ in range(ROUNDS):
        start = time.perf_counter_ns()
        run()
        costs.append(time.perf_counter_ns() - start)
    return min(costs) / 1000 / RECORDS


def main() -> None:
    """Measure, and print one JSON object."""
    fields = [{"name": name, "type": "string"} for name in FIELDS]
    schema = Schema.parse(json.dumps({"type": "record", "name": "uz.Residence", "fields": fields}))
    payload = schema.encode(dict.fromkeys(FIELDS[:-1], "x" * 27) | {"changed_at": "y" * 33})
    value = frame(1, payload)
    key, headers = SigningKey.generate(), EventHeaders(AgencyId.parse("UZ/GOV/interior/civil"), TOPIC, schema.uri)
    ids = [uuid7() for _ in range(RECORDS)]

    def build() -> list[list[tuple[str, bytes]]]:
        return [headers.build(each, NOW, number) for number, each in enumerate(ids)]

    unsealed = [Unsealed(TOPIC, 0, b"k" * 26, value, each) for each in build()]
    sealer, directory = Sealer(PUBLISHER, key), directory_of(key)
    seals = sealer.seal(unsealed, epoch=1, flush=1, time=NOW)
    records = [arrived(number, *each) for number, each in enumerate(zip(unsealed, seals, strict=True))]

    def open_all() -> None:
        opener = Opener(lambda: directory, Schemas(schema))
        for record in records:
            opener.open(record)

    def decode_all() -> None:
        for record in records:
            schema.decode(memoryview(record.value or b"")[5:])

    print(
        json.dumps(
            {
                "measured": format_micros(datetime.now(UTC)),
                "value_bytes": len(value),
                "headers_us": round(best(build), 2),
                "seal_us": round(best(lambda: sealer.seal(unsealed, epoch=1, flush=1, time=NOW)), 2),
                "open_us": round(best(open_all), 2),
                "of_which_decode_us": round(best(decode_all), 2),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
