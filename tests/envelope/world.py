"""A small instance for these tests and for the vectors: two agencies, their keys and topics, one schema, one time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from exchange.avro import RegisteredSchema, Schema, frame
from exchange.clock import to_unix_millis
from exchange.envelope import SEAL_HEADER, EventHeaders, KafkaRecord, Opener, Sealer, Unsealed
from exchange.ids import AgencyId, PublisherId, uuid7
from exchange.trust import Directory, SigningKey

NOW = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)
EVENT_TIME = datetime(2026, 11, 22, 9, 59, 58, 654321, tzinfo=UTC)

CUSTOMS = AgencyId.parse("UZ/GOV/customs/tariff")
TARIFF = PublisherId.parse("UZ/GOV/customs/tariff/hs-nomenclature")
UNLISTED = PublisherId.parse("UZ/GOV/customs/tariff/night-shift")
INTERIOR = AgencyId.parse("UZ/GOV/interior/civil")
RESIDENCES = PublisherId.parse("UZ/GOV/interior/civil/residences")
STRANGER = PublisherId.parse("UZ/GOV/nowhere/nothing/nobody")
TOPIC = "gov.customs.tariff.code-listed.v1"
OTHER_TOPIC = "gov.customs.tariff.code-withdrawn.v1"
INTERIOR_TOPIC = "gov.interior.civil.residence-changed.v1"

CUSTOMS_KEY = SigningKey.from_seed(bytes(range(32)))
RETIRED_KEY = SigningKey.from_seed(bytes(range(1, 33)))
FUTURE_KEY = SigningKey.from_seed(bytes(range(2, 34)))
INTERIOR_KEY = SigningKey.from_seed(bytes(range(3, 35)))
LOG_KEY = SigningKey.from_seed(bytes(range(4, 36)))

SCHEMA_ID = 7
SCHEMA = Schema.parse(
    json.dumps(
        {
            "type": "record",
            "name": "CodeListed",
            "namespace": "uz.customs",
            "fields": [
                {"name": "code", "type": "string"},
                {"name": "title", "type": "string"},
                {"name": "duty", "type": ["null", "double"]},
            ],
        }
    )
)
OTHER_SCHEMA = Schema.parse('{"type": "record", "name": "uz.Other", "fields": [{"name": "n", "type": "long"}]}')
PLAIN_SCHEMA = Schema.parse('"string"')
DATA = {"code": "0101", "title": "Horses, live", "duty": 5.0}


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Where the clock stands."""
        return self.moment


class Schemas:
    """A schema cache with what it was given."""

    def __init__(self, schemas: dict[int, Schema] | None = None) -> None:
        given = {SCHEMA_ID: SCHEMA, 8: OTHER_SCHEMA, 9: PLAIN_SCHEMA} if schemas is None else schemas
        self._schemas = {number: RegisteredSchema(number, schema) for number, schema in given.items()}

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """The schema under a number."""
        return self._schemas.get(schema_id)


def key_entry(key: SigningKey, since: str = "2026-01-01", until: str = "2027-01-01") -> dict[str, str]:
    """A key of the directory and the time it is good for."""
    return {"public": key.public.text, "not_before": f"{since}T00:00:00Z", "not_after": f"{until}T00:00:00Z"}


DIRECTORY_CONTENT: dict[str, Any] = {
    "instance": "UZ",
    "version": 1,
    "issued": "2026-11-22T00:00:00Z",
    "expires": "2026-11-23T00:00:00Z",
    "registry_url": "http://registry.example",
    "audit_log": {"origin": "uz.example/audit", "url": "http://audit.example", "key": key_entry(LOG_KEY)},
    "gateways": [],
    "members": [
        {
            "id": "UZ/GOV/customs",
            "name": "Customs",
            "status": "active",
            "subsystems": [
                {
                    "name": "tariff",
                    "keys": [
                        key_entry(RETIRED_KEY, "2025-01-01", "2026-01-01"),
                        key_entry(CUSTOMS_KEY),
                        key_entry(FUTURE_KEY, "2027-01-01", "2028-01-01"),
                    ],
                    "topics": [
                        {"name": TOPIC, "publishers": ["hs-nomenclature"]},
                        {"name": OTHER_TOPIC, "publishers": ["hs-nomenclature"]},
                    ],
                }
            ],
        },
        {
            "id": "UZ/GOV/interior",
            "name": "Interior",
            "status": "active",
            "subsystems": [
                {
                    "name": "civil",
                    "keys": [key_entry(INTERIOR_KEY)],
                    "topics": [{"name": INTERIOR_TOPIC, "publishers": ["residences"], "personal": True}],
                }
            ],
        },
    ],
}


def directory(*, suspended: bool = False, expires: str = "2026-11-23T00:00:00Z") -> Directory:
    """The instance's directory; with customs suspended where asked."""
    content = deepcopy(DIRECTORY_CONTENT)
    content["expires"] = expires
    if suspended:
        content["members"][0]["status"] = "suspended"
    return Directory.parse(json.dumps(content).encode(), "")


@dataclass(frozen=True)
class Draft:
    """A record before it is sealed, and how it will be: every field may be bent by a test."""

    topic: str = TOPIC
    key: bytes | None = b"0101"
    value: bytes | None = frame(SCHEMA_ID, SCHEMA.encode(DATA))
    headers: tuple[tuple[str, bytes], ...] | None = None
    sequence: int = 0
    event_time: datetime = EVENT_TIME
    subject: str | None = None
    traceparent: str | None = None

    def unsealed(self, agency: AgencyId) -> Unsealed:
        """The record as a publisher of `agency` hands it to its sealer."""
        headers = EventHeaders(agency, self.topic, SCHEMA.uri).build(
            uuid7(to_unix_millis(NOW), self.sequence.to_bytes(10, "big")),
            self.event_time,
            self.sequence,
            subject=self.subject,
            traceparent=self.traceparent,
        )
        return Unsealed(
            self.topic, 0, self.key, self.value, list(self.headers) if self.headers is not None else headers
        )

    def with_header(self, name: str, value: bytes) -> Draft:
        """The same with one header's value replaced, or the header added at the end."""
        headers = self.unsealed(CUSTOMS).headers
        replaced = [(each, value if each == name else old) for each, old in headers]
        return replace(self, headers=tuple(replaced if name in dict(headers) else [*headers, (name, value)]))

    def without_header(self, name: str) -> Draft:
        """The same without one header."""
        return replace(self, headers=tuple(each for each in self.unsealed(CUSTOMS).headers if each[0] != name))


def seal(
    drafts: Sequence[Draft],
    *,
    publisher: PublisherId = TARIFF,
    key: SigningKey = CUSTOMS_KEY,
    epoch: int = 3,
    flush: int = 4217,
    time: datetime = NOW,
    timestamp: datetime | None = None,
) -> list[KafkaRecord]:
    """Seal drafts as one flush; the records as a consumer reads them, `timestamp` being the broker's."""
    unsealed = [draft.unsealed(publisher.agency) for draft in drafts]
    seals = Sealer(publisher, key).seal(unsealed, epoch=epoch, flush=flush, time=time)
    millis = to_unix_millis(timestamp or time)
    return [
        KafkaRecord(each.topic, 0, offset, millis, each.key, each.value, (*each.headers, (SEAL_HEADER, sealed)))
        for offset, (each, sealed) in enumerate(zip(unsealed, seals, strict=True))
    ]


def seal_one(draft: Draft | None = None, **options: Any) -> KafkaRecord:
    """Seal one draft, as the second of a flush of three."""
    return seal([Draft(sequence=90), draft or Draft(), Draft(sequence=91)], **options)[1]


def opener(**options: Any) -> Opener:
    """An opener of this instance, at NOW."""
    current = options.pop("directory", None) or directory()
    clock = options.pop("clock", None) or MovableClock()
    return Opener(lambda: current, options.pop("schemas", None) or Schemas(), clock=clock, **options)


def with_seal(record: KafkaRecord, sealed: bytes) -> KafkaRecord:
    """The record with another seal."""
    return replace(record, headers=(*record.headers[:-1], (SEAL_HEADER, sealed)))


def seal_of(record: KafkaRecord) -> bytes:
    """The record's seal."""
    return record.headers[-1][1]
