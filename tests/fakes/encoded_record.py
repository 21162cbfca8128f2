"""What Kafka's own reader makes of an encoded record: key, value and headers."""

from __future__ import annotations

from aiokafka.record.memory_records import MemoryRecords

from exchange.bus.publishing.prepared import Prepared
from exchange.transport.kafka.encoding import Encoded, RecordBatch


def read_back(*records: Encoded) -> list:
    """The records as a consumer decodes them, one batch of all."""
    batch = RecordBatch(1 << 30, 0, None, transactional=False, millis=0)
    for record in records:
        assert batch.append(record.parts, record.size)
    batch._buffer = b"".join(batch._parts)
    memory = MemoryRecords(batch._build())
    found = memory.next_batch()
    assert found.validate_crc()
    return list(found)


def unsealed(record: Prepared) -> list:
    """The same of a record whose seal is still to come: the header that it announces is added, empty."""
    seal = b"\x1aexchange-seal\x00"
    return read_back(Encoded(record.topic, record.partition, (*record.parts, seal), record.size + len(seal)))[0]
