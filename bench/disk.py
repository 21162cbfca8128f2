"""What a seal takes on disk: the very events that were published, written once more without it."""

from __future__ import annotations

from bench.contenders import Sealed
from bench.events import residents
from bench.instance import Instance
from bench.rates import bytes_on_disk
from exchange.transport.kafka import Outgoing, PartitionConsumer, TransactionalProducer

SEALED_TOPIC = "gov.interior.civil.residence-changed-sealed.v1"
BARE_TOPIC = "gov.interior.civil.residence-changed-bare.v1"
TRANSACTION = 8_000


def topics() -> dict[str, int]:
    """Both topics, with their partitions."""
    return {SEALED_TOPIC: 1, BARE_TOPIC: 1}


async def more_per_event(instance: Instance, count: int) -> float:
    """Bytes that a sealed resident takes more in the broker's segments than the same event unsealed.

    Both are compressed with zstd, by the same code, in transactions of about the same size.
    """
    await Sealed(instance).publish(SEALED_TOPIC, residents(count))
    producer = TransactionalProducer(instance.kafka, "bench-bare")
    await producer.start()
    await producer.largest_record(BARE_TOPIC)
    events = 0
    async with PartitionConsumer(instance.kafka) as consumer:
        [place] = await consumer.partitions(SEALED_TOPIC)
        end = (await consumer.end_offsets([place]))[place]
        consumer.assign([place])
        while await consumer.position(place) < end:
            for polled in await consumer.poll(seconds=0.5, limit=TRANSACTION):
                bare = [Outgoing(BARE_TOPIC, 0, each.key, each.value, each.headers[:-1]) for each in polled.records]
                async with producer.transaction() as transaction:
                    await transaction.write(bare)
                events += len(bare)
    await producer.close()
    return (bytes_on_disk(instance.logs, SEALED_TOPIC) - bytes_on_disk(instance.logs, BARE_TOPIC)) / events
