"""What every consent topic does, the one in memory and the one on Kafka."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from exchange.clock import SystemClock
from exchange.consent import KafkaConsentTopic, consent_topic_spec
from exchange.transport.kafka import ensure_topics
from tests.fakes.consent_topic import MemoryConsentTopic


@asynccontextmanager
async def in_memory(bootstrap, name, apply):
    """The fake."""
    yield MemoryConsentTopic(apply, SystemClock())


@asynccontextmanager
async def on_kafka(bootstrap, name, apply):
    """The real one."""
    await ensure_topics(bootstrap, [consent_topic_spec(name)])
    async with KafkaConsentTopic(bootstrap, apply, SystemClock(), name) as topic:
        yield topic


@pytest.fixture(params=[in_memory, on_kafka], ids=lambda kind: kind.__name__)
def opened(request, kafka, unique):
    """Opens a topic: `async with opened(apply) as topic`; the same topic again within one test."""
    name = unique("_exchange.consent")
    return lambda apply: request.param(kafka, name, apply)


async def test_a_write_is_read_back_before_it_returns(opened):
    """What was written has been applied, with its key, its bytes and a time."""
    seen = []
    async with opened(seen.append) as topic:
        await topic.write("key-1", b"first")
        assert [(document.key, document.envelope) for document in seen] == [("key-1", b"first")]
        await topic.write("key-1", b"second")
        assert [document.envelope for document in seen] == [b"first", b"second"]
    assert abs(seen[0].written - SystemClock().now()).total_seconds() < 60


async def test_a_topic_that_answers_is_current(opened):
    """Once everything was read, the topic says as of when."""
    seen = []
    async with opened(seen.append) as topic:
        await topic.write("key-1", b"first")
        assert topic.current_at() is not None


async def test_a_restart_reads_everything_again(kafka, unique):
    """A topic on Kafka has applied all that was written before, when it is opened."""
    name, seen = unique("_exchange.consent"), []
    await ensure_topics(kafka, [consent_topic_spec(name)])
    async with KafkaConsentTopic(kafka, lambda document: None, SystemClock(), name) as topic:
        for number in range(20):
            await topic.write(f"key-{number}", b"document")
    async with KafkaConsentTopic(kafka, seen.append, SystemClock(), name):
        assert [document.key for document in seen] == [f"key-{number}" for number in range(20)]
