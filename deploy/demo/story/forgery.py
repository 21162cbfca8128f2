"""Line 5: forged, wrongly signed and unsigned records, written straight to Kafka, reach nobody's table."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from deploy.demo.report import require
from deploy.demo.stage import Stage
from exchange.envelope import SEAL_HEADER, Sealer, Unsealed
from exchange.ids import AgencyId, PublisherId
from exchange.transport.kafka import IdempotentProducer, Outgoing, Partition, PartitionConsumer, Received

_TOPIC = "gov.interior.civil.residence-changed.v1"
_DEAD_LETTERS = "gov.social.benefits.dead-letters"
_FORGER = PublisherId.parse("UZ/GOV/customs/tariff/hs-nomenclature")
_EXPECTED = {
    "a byte changed": "inclusion_invalid",
    "signed by customs in interior's name": "origin_mismatch",
    "signed by customs in its own name": "publisher_not_allowed",
    "unsigned": "seal_malformed",
}


async def refuse_forgeries(stage: Stage) -> dict[str, Any]:
    """Each is refused with its own code and kept as a dead letter; the copy does not change."""
    copy = stage.rows("social", "SELECT * FROM RESIDENCE_COPY ORDER BY PINFL")
    genuine = await _one_record(stage)
    forgeries = {
        "a byte changed": _changed(genuine),
        "signed by customs in interior's name": _sealed_by_customs(stage, genuine),
        "signed by customs in its own name": _sealed_by_customs(stage, genuine, source=f"/{_FORGER.agency}"),
        "unsigned": _outgoing(genuine, [header for header in genuine.headers if header[0] != SEAL_HEADER]),
    }
    offsets = {name: await _write(stage, record) for name, record in forgeries.items()}
    letters = await _dead_letters(stage, len(forgeries))
    codes = {name: letters.get(offset, "not kept") for name, offset in offsets.items()}
    for name, code in codes.items():
        stage.tell(f"{name}: refused, {code}; kept as a dead letter of social protection")
    require(codes == _EXPECTED, f"expected {_EXPECTED}, got {codes}")
    require(copy == stage.rows("social", "SELECT * FROM RESIDENCE_COPY ORDER BY PINFL"), "a forgery changed the copy")
    return {"refused": codes}


async def _one_record(stage: Stage) -> Received:
    async with PartitionConsumer(stage.instance.settings.kafka.bootstrap) as consumer:
        consumer.assign([Partition(_TOPIC, 0)])
        while True:
            for polled in await consumer.poll(seconds=1.0, limit=1):
                return polled.records[0]


def _changed(record: Received) -> Outgoing:
    """The same record with the first letter of one of its texts changed."""
    value = bytearray(record.value or b"")
    value[-20] ^= 1
    return Outgoing(record.topic, record.partition, record.key, bytes(value), list(record.headers))


def _sealed_by_customs(stage: Stage, record: Received, source: str | None = None) -> Outgoing:
    """The same content under a good seal of another agency."""
    headers = [
        (name, source.encode() if source and name == "ce_source" else value)
        for name, value in record.headers
        if name != SEAL_HEADER
    ]
    signer = stage.instance.credentials(AgencyId.parse("UZ/GOV/customs/tariff")).signer
    unsealed = Unsealed(record.topic, record.partition, record.key, record.value, headers)
    [seal] = Sealer(_FORGER, signer).seal([unsealed], epoch=1, flush=1, time=stage.instance.clock.now())
    return _outgoing(record, [*headers, (SEAL_HEADER, seal)])


def _outgoing(record: Received, headers: list[tuple[str, bytes]]) -> Outgoing:
    return Outgoing(record.topic, record.partition, record.key, record.value, headers)


async def _write(stage: Stage, record: Outgoing) -> int:
    async with IdempotentProducer(stage.instance.settings.kafka.bootstrap) as producer:
        written = await producer.append(
            record.topic, record.value, key=record.key, headers=record.headers, partition=record.partition
        )
    return written.offset


async def _dead_letters(stage: Stage, count: int) -> dict[int, str]:
    """Codes by the offset of the refused record, as `exchange topic tail` prints them."""
    for _ in range(60):
        answer = await stage.cli("topic", "tail", _DEAD_LETTERS, "--from", "beginning", "--limit", "50")
        letters = [json.loads(line) for line in answer.out.splitlines()]
        if len(letters) >= count:
            require(all(letter["verified"] for letter in letters), "a dead letter is not sealed by its agency")
            return {int(letter["refused"]["offset"]): letter["refused"]["code"] for letter in letters}
        await asyncio.sleep(0.5)
    return {}
