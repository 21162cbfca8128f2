"""kcat, as Debian has it: what somebody at a terminal sees of a topic."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.interop.published import Published


def kcat(published: Published, *arguments: str) -> str:
    """Read the whole topic, committed records only."""
    command = ["kcat", "-C", "-q", "-e", "-b", published.kafka, "-t", published.topic, "-o", "beginning"]
    command += ["-X", "isolation.level=read_committed", *arguments]
    return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode("utf-8", "replace")


@pytest.fixture(scope="module")
def rows(published: Published) -> list[list[str]]:
    """Offset, key, size of the value and headers of each record; the seal's bytes may hold a newline."""
    lines = kcat(published, "-f", r"%o|%k|%S|%h\n", "-D", "").splitlines()
    return [line.split("|", 3) for line in lines if line.count("|") >= 3]


def test_keys_offsets_and_tombstones_are_shown(published, rows):
    """Each record has its line: its offset, its key; -1 is a tombstone's size."""
    assert [(int(offset), key) for offset, key, _, _ in rows] == [
        (event.offset, event.key or "") for event in published.events
    ]
    assert [int(size) < 0 for _, _, size, _ in rows] == [event.data is None for event in published.events]


def test_headers_are_shown(published, rows):
    """The attributes stand there in words, in their order."""
    for event, (_, _, _, headers) in zip(published.events, rows, strict=True):
        assert headers.startswith("content-type=application/avro,ce_specversion=1.0,ce_id=" + event.id)
        assert f"ce_source={published.source},ce_type={event.type}" in headers
        assert ",exchange-seal=" in headers


def test_the_framing_is_unpacked(published):
    """kcat's own way to look into a value: the byte 0, then the registry's number."""
    lines = kcat(published, "-s", "value=b >i", "-f", r"%o|%s\n").splitlines()
    assert lines[0] == f"{published.events[0].offset}|0 {published.schema_id}"


def test_headers_in_json(published):
    """As JSON, too, a line a record."""
    first = json.loads(kcat(published, "-J", "-c", "1").splitlines()[0])
    assert (first["key"], first["topic"], first["headers"][:2]) == (
        published.events[0].key,
        published.topic,
        ["content-type", "application/avro"],
    )
