"""The published vectors of records, statements and seals, read with nothing but their files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.avro import RegisteredSchema, Schema
from exchange.clock import format_micros, format_millis, parse_time
from exchange.envelope import KafkaRecord, Opener, encode_record, parse_statement, record_leaf
from exchange.errors import RecordRefused, StatementMalformed
from exchange.ids import PublisherId
from exchange.trust import Directory, SigningKey
from tests.fakes.statements import sign_statement
from tests.vectors.generate import FILES, render

VECTORS = Path(__file__).parents[1] / "vectors"


def load(name: str) -> dict[str, Any]:
    """One vector file."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


RECORDS, STATEMENTS, SEALS = load("records.json"), load("statements.json"), load("seals.json")


class FileClock:
    """The time of the vectors."""

    def now(self) -> datetime:
        """When they are read."""
        return parse_time(SEALS["now"])


class FileSchemas:
    """The schemas of the vectors."""

    def get(self, schema_id: int) -> RegisteredSchema | None:
        """A schema under its number."""
        text = SEALS["schemas"].get(str(schema_id))
        return None if text is None else RegisteredSchema(schema_id, Schema.parse(text))


@pytest.fixture(scope="module")
def shared() -> Opener:
    """One opener for all vectors, so that what one leaves in its cache meets the next."""
    return fresh()


def fresh() -> Opener:
    """An opener with the vectors' directory, schemas and time."""
    directory = Directory.parse(json.dumps(SEALS["directory"]).encode(), "")
    return Opener(lambda: directory, FileSchemas(), clock=FileClock())


def raw(text: str | None) -> bytes | None:
    """Bytes from their vector."""
    return None if text is None else bytes.fromhex(text)


def pairs(headers: list[list[str]]) -> tuple[tuple[str, bytes], ...]:
    """Headers from their vector; a value may be null, where a broker could hand it out."""
    return tuple((name, raw(value)) for name, value in headers)


def record_of(wire: dict[str, Any]) -> KafkaRecord:
    """A record from its vector."""
    return KafkaRecord(
        wire["topic"], 0, 0, wire["timestamp"], raw(wire["key"]), raw(wire["value"]), pairs(wire["headers"])
    )


@pytest.mark.parametrize("case", RECORDS["cases"], ids=lambda case: case["name"])
def test_a_record_has_its_bytes_and_leaf(case):
    """Covered bytes and leaf are those of the file."""
    parts = (case["topic"], raw(case["key"]), pairs(case["headers"]), raw(case["value"]))
    assert encode_record(*parts).hex() == case["encoded"]
    assert record_leaf(*parts).hex() == case["leaf"]


def test_no_two_records_share_their_bytes():
    """Nulls, empties, order and repetition are told apart."""
    assert len({case["leaf"] for case in RECORDS["cases"]}) == len(RECORDS["cases"])


@pytest.mark.parametrize("case", STATEMENTS["valid"], ids=lambda case: case["name"])
def test_a_statement_reads_and_writes_as_in_the_file(case):
    """Its fields are read from its bytes, and its bytes are signed from its fields."""
    signed = bytes.fromhex(case["statement"])
    read = parse_statement(signed)
    assert (read.origin, read.size, read.root.hex()) == (case["publisher"], case["size"], case["root"])
    assert (read.epoch, read.flush, format_millis(read.time)) == (case["epoch"], case["flush"], case["time"])
    assert (read.key_id.hex(), read.signature.hex()) == (case["key_id"], case["signature"])
    key = SigningKey.from_seed(bytes.fromhex(STATEMENTS["seed"]))
    fields = {"epoch": read.epoch, "flush": read.flush, "time": parse_time(case["time"])}
    assert sign_statement(PublisherId.parse(case["publisher"]), key, read.size, read.root, **fields) == signed
    assert signed.decode() == case["text"]


@pytest.mark.parametrize("case", STATEMENTS["damaged"], ids=lambda case: case["name"])
def test_a_damaged_statement_is_refused(case):
    """None of the file's damaged statements is read."""
    with pytest.raises(StatementMalformed):
        parse_statement(bytes.fromhex(case["statement"]))


@pytest.mark.parametrize("case", SEALS["valid"], ids=lambda case: case["name"])
def test_a_sealed_record_opens_to_its_event(case, shared):
    """Alone or after others, the event is the file's."""
    for reader in (fresh(), shared, shared):
        event = reader.open(record_of(case["record"]))
        expected = case["event"] | {"agency": event.agency, "time": event.time}
        assert {name: getattr(event, name) for name in expected} == expected
        assert (str(event.agency), format_micros(event.time)) == (case["event"]["agency"], case["event"]["time"])


@pytest.mark.parametrize("case", SEALS["damaged"], ids=lambda case: case["name"])
def test_a_damaged_record_is_refused_at_its_step(case, shared):
    """Alone or after others, the refusal is the file's."""
    for reader in (fresh(), shared, shared):
        with pytest.raises(RecordRefused) as caught:
            reader.open(record_of(case["record"]))
        assert (caught.value.step, caught.value.code) == (case["step"], case["code"])


def test_the_damaged_records_show_every_step():
    """There is a record for each of the steps 1 to 8."""
    assert {case["step"] for case in SEALS["damaged"]} == set(range(1, 9))


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_files_are_what_the_generator_writes(name):
    """A format that changed by mistake shows as a vector that changed."""
    assert render(name) == (VECTORS / name).read_text(encoding="utf-8")
