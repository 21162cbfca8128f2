"""What every audit trail of a gateway does, the one in memory and the one on the audit topic."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from exchange.audit import AuditEntry, EntryKind, audit_topic
from exchange.clock import SystemClock
from exchange.errors import AuditError
from exchange.gateway.history import replay_entries
from exchange.gateway.trail_audit import AuditTopicTrail
from exchange.ids import AgencyId, uuid7
from exchange.transport.kafka import IdempotentProducer, TopicSpec, ensure_topics
from tests.fakes.audit_trail import MemoryAuditTrail
from tests.fakes.instance import FakeInstance

KEPT = {"retention.ms": "-1", "retention.bytes": "-1"}


@asynccontextmanager
async def in_memory(bootstrap, instance):
    """The fake, and how to read it back."""
    trail = MemoryAuditTrail()

    async def read():
        return trail.entries

    yield trail, read


@asynccontextmanager
async def on_kafka(bootstrap, instance):
    """The real one, and how to read it back."""
    credentials, topic = instance.credentials(instance.gateway), audit_topic(instance.gateway)
    await ensure_topics(bootstrap, [TopicSpec(topic, settings=KEPT)])

    async def read(since=timedelta(days=1)):
        found = []
        moment = SystemClock().now() - since
        await replay_entries(bootstrap, topic, moment, instance.directory(), found.append)
        return found

    async with AuditTopicTrail(bootstrap, credentials, instance.directory) as trail:
        yield trail, read


@pytest.fixture
def instance(unique):
    """An instance whose gateway shares its topic with no other test."""
    return FakeInstance(SystemClock().now(), gateway=AgencyId.parse(f"UZ/GOV/{unique('egov')}/gateway"))


@pytest.fixture(params=[in_memory, on_kafka], ids=lambda kind: kind.__name__)
async def opened(request, kafka, instance):
    """The trail, and how to read it back."""
    async with request.param(kafka, instance) as pair:
        yield pair


def entry(instance, **change) -> AuditEntry:
    """A permit."""
    values = {
        "id": uuid7(),
        "time": SystemClock().now(),
        "kind": EntryKind.LOOKUP_DECIDED,
        "gateway": instance.gateway,
        "directory_version": 1,
        "decision": "permit",
    }
    return AuditEntry(**{**values, **change})


async def test_an_entry_is_there_when_its_receipt_is(opened, instance):
    """Entries come back in the order in which they were appended."""
    trail, read = opened
    entries = [entry(instance), entry(instance, decision="consent_missing")]
    for each in entries:
        receipt = await trail.append(each)
        assert receipt["type"] == "exchange-receipt-v1"
        assert set(receipt) >= {"document", "salt"}
    assert await read() == entries


async def test_a_trail_refuses_an_entry_that_is_not_its_gateways(kafka, instance):
    """The audit topic takes no entry that names another gateway, and says that asking again is of no use."""
    async with on_kafka(kafka, instance) as (trail, read):
        with pytest.raises(AuditError) as caught:
            await trail.append(entry(instance, gateway=AgencyId.parse("UZ/GOV/other/gateway")))
        assert (caught.value.code, caught.value.retriable) == ("entry_refused", False)
        assert await read() == []


async def test_only_the_time_asked_for_is_replayed(kafka, instance):
    """What the broker stamped before is passed over, as is what no gateway signed."""
    async with on_kafka(kafka, instance) as (trail, read):
        await trail.append(entry(instance))
        async with IdempotentProducer(kafka) as producer:
            await producer.append(audit_topic(instance.gateway), b"{}", partition=0)
            await producer.append(audit_topic(instance.gateway), None, key=b"k", partition=0)
        assert len(await read()) == 1
        assert await read(timedelta(minutes=-1)) == []
