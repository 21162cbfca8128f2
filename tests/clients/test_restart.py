"""A registry that starts anew over its topic, with what others wrote there in between."""

import asyncio

from exchange.clock import SystemClock
from exchange.registry import KafkaSchemaStore
from exchange.transport.kafka import IdempotentProducer
from tests.clients.registry_thread import registry_at
from tests.clients.rest import ONE, TWO, Rest, record

GARBAGE = {b"garbage": b"x", b"\x00": None, b'{"keytype":"SCHEMA"}': b"{}", b'{"keytype":"NEW","magic":9}': b"1"}
REFERENCE = {"name": "myrecord", "subject": "s", "version": 1}


def everything(rest):
    """What a registry answers about all that it has."""
    return (
        rest.get("schemas", subjectPrefix=":*:", deleted=True),
        [rest.get("config", each, defaultToGlobal=True) for each in ("s", "t", ":.ctx:s")],
        [rest.get("mode", each, defaultToGlobal=True) for each in ("s", "t")],
        rest.get("contexts"),
        rest.get("subjects", "s", "versions", 1, "referencedby"),
    )


async def write_garbage(kafka, topic):
    """Records that no registry writes."""
    async with IdempotentProducer(kafka) as other:
        for key, value in GARBAGE.items():
            await other.append(topic, value, key=key, partition=0)


def test_a_registry_that_starts_anew_keeps_everything(kafka, unique):
    """Everything is in the topic: ids, versions, texts, deletes, settings; garbage among it is passed over."""
    topic = unique("schemas")

    def store():
        return KafkaSchemaStore(kafka, SystemClock(), topic=topic, transactional_id=topic)

    with registry_at(store) as url:
        rest = Rest(url)
        for subject, schema in (("s", ONE), ("s", TWO), ("t", ONE), (":.ctx:s", TWO)):
            rest.register(subject, schema, metadata={"properties": {"owner": "customs"}})
        rest.register("u", record(("r", "myrecord"), name="U"), references=[REFERENCE])
        rest.delete("subjects", "t")
        rest.level("FULL", "s")
        rest.mode("READONLY", "t")
        before = everything(rest)
    asyncio.run(write_garbage(kafka, topic))
    with registry_at(store) as url:
        rest = Rest(url)
        assert everything(rest) == before
        assert [rest.register("s", ONE), rest.register("v", '"string"'), rest.register(":.ctx:s", ONE)] == [1, 4, 2]
