"""The CloudEvents SDK of Python, unmodified: both of its Kafka bindings, on records that confluent-kafka read."""

from __future__ import annotations

from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage as Message
from cloudevents.core.bindings.kafka import from_kafka_event
from cloudevents.v1.exceptions import DataUnmarshallerError
from cloudevents.v1.kafka import KafkaMessage as MessageV1
from cloudevents.v1.kafka import from_binary as from_binary_v1

from exchange.avro import Schema, unframe
from tests.interop.consume import consume
from tests.interop.published import PSEUDONYM, RICH, Published


@pytest.fixture(scope="module")
def messages(published: Published) -> list[Any]:
    """The records as confluent-kafka has them."""
    return consume(published)


def attributes(published: Published, number: int) -> dict[str, Any]:
    """What CloudEvents calls the attributes of one of the events."""
    event = published.events[number]
    expected = {
        "specversion": "1.0",
        "id": event.id,
        "source": published.source,
        "type": event.type,
        "datacontenttype": "application/avro",
        "dataschema": published.dataschema,
        "time": event.time,
        "sequence": f"{event.sequence:020d}",
        "partitionkey": event.key,
        "subject": event.subject,
    }
    return {name: value for name, value in expected.items() if value is not None}


def ours_only(headers: list[tuple[str, bytes]]) -> dict[str, bytes]:
    """The headers that CloudEvents is about: without `exchange-seal`, whose bytes are no text."""
    return {name: value for name, value in headers if name == "content-type" or name.startswith("ce_")}


@pytest.mark.parametrize("number", range(6))
def test_every_attribute_is_read(published, messages, number):
    """Required, optional and extension attributes are what our subscriber read; the key is `partitionkey`."""
    message = messages[number]
    event = from_kafka_event(Message(ours_only(message.headers()), message.key(), message.value()))
    assert event.get_attributes() == attributes(published, number)
    assert (event.get_subject(), event.get_extension("sequence")) == (
        PSEUDONYM if number == 3 else None,
        f"{number:020d}",
    )


@pytest.mark.parametrize("number", range(5))
def test_the_data_are_the_framed_value(published, messages, number):
    """The SDK hands Avro through; the schema that `dataschema` names decodes it."""
    message = messages[number]
    event = from_kafka_event(Message(ours_only(message.headers()), message.key(), message.value()))
    schema_id, payload = unframe(event.get_data())
    assert (schema_id, Schema.parse(RICH).uri) == (published.schema_id, event.get_dataschema())
    assert Schema.parse(RICH).decode(payload) == published.events[number].data


def test_a_tombstone_is_an_event_without_data(messages):
    """A null value is no data."""
    message = messages[5]
    assert message.value() is None
    assert from_kafka_event(Message(ours_only(message.headers()), message.key(), message.value())).get_data() is None


def test_the_seal_is_no_text(messages):
    """This SDK takes every header for text, and so has to be handed those of CloudEvents: as the guide says."""
    message = messages[0]
    with pytest.raises(UnicodeDecodeError):
        from_kafka_event(Message(dict(message.headers()), message.key(), message.value()))


@pytest.mark.parametrize("number", range(6))
def test_the_older_binding_reads_all_headers(published, messages, number):
    """The SDK's first interface leaves the seal alone; it takes whatever decodes the data."""
    message = messages[number]
    read = from_binary_v1(
        MessageV1(dict(message.headers()), message.key(), message.value()), data_unmarshaller=lambda data: data
    )
    expected = {**attributes(published, number)}
    found = {**read.get_attributes()}
    assert found.pop("time").replace("Z", "+00:00") == expected.pop("time").isoformat(timespec="microseconds")
    if "partitionkey" in found:
        found["partitionkey"] = found["partitionkey"].decode()
    assert found == expected
    assert read.get_data() == message.value()


def test_avro_is_not_taken_for_json(messages):
    """Whoever forgets to say how data are decoded is told, and gets nothing that is wrong."""
    message = messages[0]
    with pytest.raises(DataUnmarshallerError):
        from_binary_v1(MessageV1(dict(message.headers()), message.key(), message.value()))
