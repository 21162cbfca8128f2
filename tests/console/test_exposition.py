"""Reading Prometheus text."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from exchange.audit import metrics as audit
from exchange.bus import metrics as bus
from exchange.console.exposition import (
    CONSENT_CHANGES,
    CONSUMED,
    DEAD_LETTERS,
    GAPS,
    LAG,
    LOOKUPS,
    MAX_BYTES,
    MAX_SERIES,
    PUBLISHED,
    REFUSED,
    TREE_SIZE,
    parse_exposition,
)
from exchange.errors import TransportError
from exchange.gateway import metrics as gateway

from .figures import lag, published, series


def test_a_counter_is_read_with_its_labels():
    """A counter's value is found under its name and labels, in any order of labels."""
    text = b'exchange_published_total{topic="t",publisher="p"} 3.0\n'
    assert parse_exposition(text).counters == {published("t", "p"): 3.0}
    swapped = b'exchange_published_total{publisher="p",topic="t"} 3.0\n'
    assert parse_exposition(swapped) == parse_exposition(text)


def test_a_gauge_is_read():
    """A gauge's value is found among the gauges."""
    text = b'# TYPE exchange_consumer_lag gauge\nexchange_consumer_lag{topic="t",partition="0",group="g"} 7\n'
    exposition = parse_exposition(text)
    assert exposition.gauges == {lag(0, "t", "g"): 7.0}
    assert exposition.counters == {}


def test_what_the_process_is_is_read():
    """Start time, memory and version come from the process's own metrics."""
    text = (
        b"process_start_time_seconds 1.7953704e+09\n"
        b"process_resident_memory_bytes 8.8604672e+07\n"
        b'exchange_build_info{version="0.1.0"} 1\n'
    )
    exposition = parse_exposition(text)
    assert exposition.started == datetime.fromtimestamp(1795370400, UTC)
    assert exposition.memory == 88604672
    assert exposition.version == "0.1.0"


def test_a_process_that_tells_nothing_of_itself_is_read():
    """Start time, memory and version are unknown where they are not exposed."""
    exposition = parse_exposition(b"")
    assert (exposition.started, exposition.memory, exposition.version) == (None, None, None)


@pytest.mark.parametrize(
    ("metric", "name", "labels"),
    [
        (bus.PUBLISHED, PUBLISHED, {"topic": "console-test", "publisher": "p"}),
        (bus.CONSUMED, CONSUMED, {"topic": "console-test", "group": "g"}),
        (bus.REFUSED, REFUSED, {"topic": "console-test", "code": "c"}),
        (bus.DEAD_LETTERS, DEAD_LETTERS, {"topic": "console-test", "code": "c"}),
        (bus.SEQUENCE_GAPS, GAPS, {"topic": "console-test"}),
        (gateway.LOOKUPS, LOOKUPS, {"service": "console-test", "outcome": "o"}),
        (gateway.CONSENT_CHANGES, CONSENT_CHANGES, {"state": "console-test"}),
    ],
)
def test_what_the_processes_count_is_what_the_console_reads(metric, name, labels):
    """The counters of the bus and the gateway have the names and labels under which they are looked for."""
    metric.labels(**labels).inc()
    assert series(name, **labels) in parse_exposition(generate_latest()).counters


def test_what_the_processes_measure_is_what_the_console_reads():
    """The gauges of the bus and the audit log have the names and labels under which they are looked for."""
    bus.CONSUMER_LAG.labels(topic="console-test", partition="0", group="g").set(1)
    audit.TREE_SIZE.set(1)
    exposition = parse_exposition(generate_latest())
    assert lag(0, "console-test", "g") in exposition.gauges
    assert series(TREE_SIZE) in exposition.gauges
    assert exposition.started is not None


def test_other_metrics_are_left_out():
    """Series the console does not show are not kept, however they are written."""
    text = b"python_gc_objects_collected_total 3\nnot prometheus at all {{{\n# HELP x y\nexchange_published_total 1\n"
    assert [each.name for each in parse_exposition(text).counters] == [PUBLISHED]


def test_created_times_are_no_counters():
    """The `_created` series beside a counter is not taken for events."""
    text = b'exchange_published_created{topic="t"} 1.79e9\nexchange_published_total{topic="t"} 2\n'
    assert list(parse_exposition(text).counters.values()) == [2.0]


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1"])
def test_a_value_that_cannot_be_a_count_is_left_out(value):
    """Not-a-number, infinite and negative values are not shown."""
    assert parse_exposition(f"exchange_consumer_lag {value}\n".encode()).gauges == {}


@pytest.mark.parametrize(
    "text",
    [
        b'exchange_published_total{topic="t} 1\n',
        b"exchange_published_total{topic} 1\n",
        b"exchange_published_total\n",
        b'exchange_published_total{topic="t"} many\n',
        b'exchange_published_total{topic="t"} \n',
        b"process_start_time_seconds 1e300\n",
    ],
)
def test_broken_text_is_refused_as_a_whole(text):
    """A body with one broken line of ours gives no figures at all, and the error says so."""
    with pytest.raises(TransportError, match="not Prometheus text") as caught:
        parse_exposition(b"exchange_consent_changes_total 1\n" + text)
    assert caught.value.code == "metrics_malformed"


def test_bytes_that_are_not_utf8_are_refused():
    """Random bytes are no metrics."""
    with pytest.raises(TransportError, match="not UTF-8"):
        parse_exposition(b"exchange_published_total 1\n\xff\xfe")


def test_a_huge_body_is_refused():
    """More than the limit is not even parsed."""
    with pytest.raises(TransportError, match="larger than 4 MiB"):
        parse_exposition(b"#" * (MAX_BYTES + 1))


def test_more_series_than_can_be_held_are_cut_and_told():
    """Of too many series the first are kept, and it is known that there were more."""
    lines = "".join(f'exchange_published_total{{topic="t{n}"}} 1\n' for n in range(MAX_SERIES + 1))
    exposition = parse_exposition(lines.encode())
    assert len(exposition.counters) == MAX_SERIES
    assert exposition.truncated
    assert not parse_exposition(b"exchange_published_total 1\n").truncated


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_any_label_survives_the_text_format(label):
    """What the official client writes as a label is what is read, quotes and newlines included."""
    registry = CollectorRegistry()
    Counter("exchange_published_total", "", ["topic", "publisher"], registry=registry).labels(label, "p").inc(4)
    Gauge("exchange_consumer_lag", "", ["topic", "partition", "group"], registry=registry).labels(label, "0", "g").set(
        1
    )
    exposition = parse_exposition(generate_latest(registry))
    assert exposition.counters == {published(label, "p"): 4.0}
    assert exposition.gauges == {lag(0, label, "g"): 1.0}


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(body):
    """Whatever comes is an exposition or a TransportError, never another failure."""
    with suppress(TransportError):
        parse_exposition(body)


@given(st.text('exchange_published_total{}="\\, 0123abc\n', max_size=80))
def test_text_that_nearly_fits_is_read_or_refused(text):
    """Near misses of the format end in an exposition or a TransportError, too."""
    with suppress(TransportError):
        parse_exposition(f"{LAG}{text}".encode())
