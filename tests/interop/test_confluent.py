"""confluent-kafka's consumer and AvroDeserializer, unmodified, against our registry."""

from __future__ import annotations

import pytest
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AsyncAvroDeserializer, AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.interop.consume import consume
from tests.interop.published import RICH


@pytest.fixture(scope="module")
def messages(published):
    """The records as the consumer has them."""
    return consume(published)


def test_values_are_decoded(published, messages):
    """Every type, logical ones among them, is what our subscriber read; a tombstone is None."""
    decode = AvroDeserializer(SchemaRegistryClient({"url": published.registry}))
    context = SerializationContext(published.topic, MessageField.VALUE)
    assert [decode(each.value(), context) for each in messages] == [event.data for event in published.events]


async def test_values_are_decoded_by_asyncio(published, messages):
    """So are they by the client for asyncio, with a reader's schema."""
    async with AsyncSchemaRegistryClient({"url": published.registry}) as client:
        decode = await AsyncAvroDeserializer(client, RICH)
        context = SerializationContext(published.topic, MessageField.VALUE)
        assert [await decode(each.value(), context) for each in messages] == [each.data for each in published.events]


def test_keys_headers_and_places_are_ours(published, messages):
    """Key, headers in their order, partition and offset are the record's."""
    for event, message in zip(published.events, messages, strict=True):
        names = [name for name, _ in message.headers()]
        assert (names[0], names[-1]) == ("content-type", "exchange-seal")
        assert (message.partition(), message.offset()) == (event.partition, event.offset)
        assert (message.key().decode() if message.key() is not None else None) == event.key
        assert dict(message.headers())["ce_id"].decode() == event.id
        assert (event.traceparent is not None) == ("traceparent" in names)
