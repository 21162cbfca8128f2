"""Records that no client of ours would write."""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record._crc32c import crc as crc32c

_PLACEHOLDER = "hhhh"
_CRC_AT = 17
_COVERED_FROM = 21


class _Patched:
    """A batch whose header name is made invalid UTF-8 after it was built, its checksum put right."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def _build(self) -> bytearray:
        built = bytearray(self._batch._build())
        built = built.replace(_PLACEHOLDER.encode(), b"\xff\xfe\xfd\xfc")
        built[_CRC_AT:_COVERED_FROM] = crc32c(bytes(built[_COVERED_FROM:])).to_bytes(4, "big")
        return built


async def write_unreadable(kafka: str, topic: str) -> None:
    """One record with a header whose name is not UTF-8: the broker takes it, aiokafka cannot read it."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"k", value=b"unreadable", headers=[(_PLACEHOLDER, b"v")])
        await (await producer.send_batch(_Patched(batch), topic, partition=0))
