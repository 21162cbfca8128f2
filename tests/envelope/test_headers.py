"""The headers of events and of our own records (spec 2)."""

from __future__ import annotations

from datetime import timedelta, timezone

from exchange.envelope import EventHeaders, document_headers, event_type, source_of

from .world import CUSTOMS, EVENT_TIME, NOW, SCHEMA, TOPIC

ID = "0198a5a0-0000-7000-8000-000000000001"


def build(**options: object) -> list[tuple[str, bytes]]:
    """The headers of one event."""
    return EventHeaders(CUSTOMS, TOPIC, SCHEMA.uri).build(ID, EVENT_TIME, 42, **options)


def test_an_events_headers_are_in_the_order_of_the_specification():
    """Names, values and their order are fixed."""
    assert build() == [
        ("content-type", b"application/avro"),
        ("ce_specversion", b"1.0"),
        ("ce_id", ID.encode()),
        ("ce_source", b"/UZ/GOV/customs/tariff"),
        ("ce_type", b"gov.customs.tariff.code-listed"),
        ("ce_time", b"2026-11-22T09:59:58.654321Z"),
        ("ce_dataschema", SCHEMA.uri.encode()),
        ("ce_sequence", b"00000000000000000042"),
    ]


def test_subject_and_trace_come_last_where_there_are_any():
    """The optional headers follow in their order."""
    assert build(subject="abc", traceparent="00-x")[8:] == [("ce_subject", b"abc"), ("traceparent", b"00-x")]
    assert build(traceparent="00-x")[8:] == [("traceparent", b"00-x")]


def test_each_events_headers_are_its_own():
    """What a caller adds to one event's headers is not on the next one's; each has its own time."""
    headers = EventHeaders(CUSTOMS, TOPIC, SCHEMA.uri)
    first = headers.build(ID, EVENT_TIME, 1)
    first.append(("x", b""))
    second = headers.build(ID, EVENT_TIME + timedelta(seconds=1), 2)
    assert len(second) == 8
    assert (first[5][1], second[5][1]) == (b"2026-11-22T09:59:58.654321Z", b"2026-11-22T09:59:59.654321Z")


def test_events_of_one_moment_say_so():
    """A batch stamped with one time has it on each event."""
    headers = EventHeaders(CUSTOMS, TOPIC, SCHEMA.uri)
    first, second = (headers.build(ID, EVENT_TIME, number) for number in (1, 2))
    assert first[5] == second[5] == ("ce_time", b"2026-11-22T09:59:58.654321Z")
    assert first[7] != second[7]


def test_times_are_written_in_utc():
    """A time of another zone is the same moment in UTC."""
    tashkent = EVENT_TIME.astimezone(timezone(timedelta(hours=5)))
    assert (
        dict(EventHeaders(CUSTOMS, TOPIC, SCHEMA.uri).build(ID, tashkent, 1))["ce_time"]
        == b"2026-11-22T09:59:58.654321Z"
    )


def test_our_own_records_say_whose_they_are():
    """A sealed record that is no event carries its source, type and time, and no schema."""
    headers = dict(document_headers(CUSTOMS, "_exchange.positions", event_id=ID, time=NOW))
    assert headers["ce_source"] == source_of(CUSTOMS) == b"/UZ/GOV/customs/tariff"
    assert headers["ce_type"] == b"_exchange.positions"
    assert headers["content-type"] == b"application/json"
    assert "ce_dataschema" not in headers


def test_the_type_is_the_topic_without_its_version():
    """A topic's events keep their type from one major version to the next."""
    assert event_type(TOPIC) == event_type(TOPIC.replace("v1", "v2")) == "gov.customs.tariff.code-listed"
