"""kafkajs and @kafkajs/confluent-schema-registry of Node.js, unmodified; with a codec for zstd, which kafkajs lacks."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.node import MODULES
from tests.interop.published import Published

HERE = Path(__file__).parent


def read(published: Published, *codec: str) -> subprocess.CompletedProcess[str]:
    """Read the topic in Node.js."""
    where = (published.kafka, published.registry, published.topic, str(len(published.events)))
    return subprocess.run(
        ["node", HERE / "read.mjs", MODULES, *where, *codec], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def records(published: Published) -> list[dict[str, Any]]:
    """What Node.js read."""
    answer = read(published, "zstd")
    assert answer.returncode == 0, answer.stderr
    return [json.loads(line) for line in answer.stdout.splitlines()]


def as_avsc(data: dict[str, Any] | None) -> dict[str, Any] | None:
    """An event's data as avsc has them: logical types are the numbers and bytes that they are written as."""
    if data is None:
        return None
    micros = (data["at"] - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000
    fee = int(data["fee"].scaleb(2)).to_bytes(2, "big")
    return {
        **data,
        "since": (data["since"] - date(1970, 1, 1)).days,
        "at": round(micros),
        "fee": {"type": "Buffer", "data": list(fee)},
        "raw": {"type": "Buffer", "data": list(data["raw"])},
    }


def test_keys_and_values_are_read(published, records):
    """Every record is there, in order, with its key; every type is decoded, a tombstone is null."""
    assert [each["key"] for each in records] == [event.key for event in published.events]
    assert [int(each["offset"]) for each in records] == [event.offset for event in published.events]
    assert [each["value"] for each in records] == [as_avsc(event.data) for event in published.events]


def test_headers_are_read_as_bytes(published, records):
    """All headers are there in their order, the seal's bytes among them."""
    for event, record in zip(published.events, records, strict=True):
        names = [name for name, _ in record["headers"]]
        found = {name: base64.b64decode(value) for name, value in record["headers"]}
        assert (names[0], names[-1], found["exchange-seal"][0]) == ("content-type", "exchange-seal", 1)
        assert (found["ce_id"].decode(), found["ce_source"].decode()) == (event.id, published.source)


def test_without_a_codec_kafkajs_says_what_it_lacks(published):
    """kafkajs brings gzip alone: as the guide says, it takes a codec for zstd, or a publisher that uses gzip."""
    answer = read(published)
    assert answer.returncode == 1
    assert "ZSTD compression not implemented" in answer.stderr
