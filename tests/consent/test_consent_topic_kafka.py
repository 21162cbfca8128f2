"""The consent topic on Kafka when Kafka fails: what was not written is said, and writing goes on afterwards."""

from __future__ import annotations

import pytest

from exchange.clock import SystemClock
from exchange.consent import KafkaConsentTopic, consent_topic_spec
from exchange.errors import BrokerUnreachable, DocumentInvalid, TransportError
from exchange.transport.kafka import IdempotentProducer, ensure_topics
from exchange.transport.web import free_port


async def test_after_a_failure_a_new_producer_writes(kafka, unique):
    """A producer that failed may never write again: the next write has one of its own, and succeeds."""
    made = []

    def connect(bootstrap):
        made.append(IdempotentProducer(bootstrap, append_seconds=0.0 if not made else 10.0))
        return made[-1]

    name, seen = unique("_exchange.consent"), []
    await ensure_topics(kafka, [consent_topic_spec(name)])
    async with KafkaConsentTopic(kafka, seen.append, SystemClock(), name, connect) as topic:
        with pytest.raises(TransportError):
            await topic.write("key", b"first")
        await topic.write("key", b"second")
    assert seen[-1].envelope == b"second"
    assert len(made) == 2
    assert not made[0].is_open


async def test_a_kafka_that_is_not_there_is_said():
    """Opening names the address within the time that a start may take."""
    bootstrap = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnreachable, match=bootstrap):
        async with KafkaConsentTopic(bootstrap, lambda document: None, SystemClock(), "topic"):
            pass


async def test_a_topic_that_is_not_there_is_said(kafka, unique):
    """A topic that nobody created is not created by reading it."""
    name = unique("_exchange.consent")
    with pytest.raises(Exception, match=name):
        async with KafkaConsentTopic(kafka, lambda document: None, SystemClock(), name):
            pass


async def test_an_owner_learns_when_following_ended(kafka, unique):
    """What stops the reader is raised to whoever waits for it: the process ends instead of deciding on old consents."""

    def broken(document):
        raise DocumentInvalid("the view is broken")

    name = unique("_exchange.consent")
    await ensure_topics(kafka, [consent_topic_spec(name)])
    async with KafkaConsentTopic(kafka, broken, SystemClock(), name) as topic:
        with pytest.raises(DocumentInvalid, match="broken"):
            await topic.write("key", b"document")
        with pytest.raises(DocumentInvalid, match="broken"):
            await topic.wait_stopped()
