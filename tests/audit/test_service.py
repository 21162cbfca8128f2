"""The whole way on a real Kafka: a gateway's entry, the log's tree, a receipt that verifies offline."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.audit import (
    AuditClient,
    AuditContext,
    AuditLogService,
    AuditRecord,
    AuditWriter,
    Receipt,
    audit_topic,
    verify_receipt,
)
from exchange.audit.topic import ensure_audit_topic, log_topic
from exchange.errors import AuditError, BrokerUnreachable, PeerUnreachable, SettingsError, StorageFull
from exchange.merkle import Checkpoint, parse_note
from exchange.settings import AuditSettings
from exchange.transport.http import HttpClient
from exchange.transport.kafka import KafkaAdmin, Partition, PartitionConsumer, TopicSpec
from exchange.transport.web import free_port

from . import independent, log_process
from .tight_disk import no_large_files
from .world import GATEWAY_KEY, LOG_KEY, ORIGIN, OTHER_KEY, TAX, World, open_store, tree_of


@dataclass
class Site:
    """An instance on the real Kafka, with a topic and a folder of its own."""

    bootstrap: str
    world: World
    member: str
    folder: Path
    listen: str
    http: HttpClient

    @property
    def topic(self) -> str:
        return audit_topic(self.world.gateway)

    @property
    def client(self) -> AuditClient:
        return AuditClient(self.http, f"http://{self.listen}")

    def context(self) -> AuditContext:
        return log_process.context(self.bootstrap, self.world, self.folder, self.listen)

    def writer(self) -> AuditWriter:
        return AuditWriter(self.bootstrap, self.world.credentials, self.world.directory)


@pytest.fixture
async def site(kafka: str, unique: Callable[[str], str], tmp_path: Path) -> AsyncIterator[Site]:
    member, listen = unique("egov"), f"127.0.0.1:{free_port()}"
    async with HttpClient() as http:
        world = World(member, f"http://{listen}", now=datetime.now(UTC))
        yield Site(kafka, world, member, tmp_path / "audit", listen, http)


async def append(site: Site, count: int, first: int = 0) -> list[Receipt]:
    """Entries written at the same time."""
    async with site.writer() as writer:
        entries = [site.world.entry(number) for number in range(first, first + count)]
        return list(await asyncio.gather(*map(writer.append, entries)))


async def on_topic(site: Site) -> list[AuditRecord]:
    """Everything that is on the topic, in its order."""
    records: list[AuditRecord] = []
    place = Partition(site.topic, 0)
    async with PartitionConsumer(site.bootstrap) as consumer:
        end = (await consumer.end_offsets([place]))[place]
        consumer.assign([place])
        while len(records) < end:
            for polled in await consumer.poll(seconds=1, limit=1000):
                records += [AuditRecord.parse(record.value or b"") for record in polled.records]
    return records


async def test_a_use_leaves_a_receipt_that_verifies_offline(site: Site) -> None:
    """From the gateway's append to a proof that both verifiers accept, with nothing but the directory and the file."""
    async with AuditLogService(site.context()):
        receipts = await append(site, 300)
        complete = [await site.client.complete(receipt) for receipt in (receipts[0], receipts[150], receipts[299])]
        checkpoint = await site.client.checkpoint()
        complete = [await site.client.complete(receipt, checkpoint=checkpoint) for receipt in complete]
    gateways = {site.world.credentials.keyid: GATEWAY_KEY.public.raw}
    for receipt, number in zip(complete, (0, 150, 299), strict=True):
        verified = verify_receipt(receipt.encode(), site.world.directory(), checkpoint)
        assert verified.entry == site.world.entry(number)
        assert independent.accepts(receipt.encode(), gateways, ORIGIN, LOG_KEY.public.raw)


async def test_leaving_publishes_what_was_taken_and_coming_back_goes_on(site: Site) -> None:
    """Stopped and started again, the log has all entries once, in the topic's order."""
    for first in (0, 70, 140):
        await append(site, 70, first)
        async with AuditLogService(site.context()) as service:
            await site.client.complete(Receipt((await on_topic(site))[-1]))
            stop = asyncio.Event()
            stop.set()
            await service.run_until(stop)
    store = open_store(site.folder)
    assert store.published.checkpoint.root == tree_of(await on_topic(site)).root
    assert store.published.size == 210
    store.close()


async def test_a_log_that_is_killed_again_and_again_has_the_topics_order(site: Site) -> None:
    """SIGKILL at different moments, while entries come in, loses none, doubles none and moves none."""
    moments, enough = (0.05, 0.2, 0.4), asyncio.Event()
    await ensure_audit_topic(site.bootstrap, site.topic)
    writing = asyncio.create_task(trickle(site, enough))
    for moment in moments:
        process = start_process(site)
        await until_served(site)
        await asyncio.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.wait()
    enough.set()
    receipts = await writing
    process = start_process(site)
    await until_served(site)
    records = await on_topic(site)
    complete = await site.client.complete(Receipt(records[-1]), seconds=60)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0
    store = open_store(site.folder)
    assert store.published.checkpoint.root == tree_of(records).root
    assert {Receipt(record).leaf for record in records} == {receipt.leaf for receipt in receipts}
    assert verify_receipt(complete.encode(), site.world.directory()).index + 1 == len(records) == len(receipts)
    store.close()


async def trickle(site: Site, enough: asyncio.Event) -> list[Receipt]:
    """Entries, ten at a time, until there are enough."""
    receipts: list[Receipt] = []
    async with site.writer() as writer:
        while not enough.is_set():
            entries = [site.world.entry(len(receipts) + number) for number in range(10)]
            receipts += await asyncio.gather(*map(writer.append, entries))
            await asyncio.sleep(0.01)
    return receipts


def start_process(site: Site) -> subprocess.Popen[bytes]:
    return log_process.start(site.bootstrap, site.member, site.folder, site.listen, site.world.now)


async def until_served(site: Site) -> None:
    """Wait until the log answers."""
    while True:
        try:
            await site.client.checkpoint()
        except PeerUnreachable:
            await asyncio.sleep(0.05)
        else:
            return


async def test_a_full_disk_is_seen_from_outside_and_at_the_end(site: Site) -> None:
    """While there is no room the process is not ready, and stopping it then ends with StorageFull; nothing is lost."""
    service = await AuditLogService(site.context()).__aenter__()
    with no_large_files(4096):
        receipts = await append(site, 300)
        answer = await site.http.send("GET", f"http://{site.listen}/readyz")
        while answer.status != 503:
            await asyncio.sleep(0.05)
            answer = await site.http.send("GET", f"http://{site.listen}/readyz")
        assert b"no room for the audit log" in answer.body
        assert Checkpoint.parse(parse_note(await site.client.checkpoint()).text).size < 300
        with pytest.raises(StorageFull):
            await service.__aexit__(None, None, None)
    async with AuditLogService(site.context()):
        complete = [await site.client.complete(receipt) for receipt in receipts[::100]]
        assert [verify_receipt(each.encode(), site.world.directory()).entry.id for each in complete] == [
            site.world.entry(number).id for number in (0, 100, 200)
        ]


async def test_a_log_whose_topic_was_made_anew_does_not_run(site: Site) -> None:
    """A topic that ends before the tree does is named, and nothing is signed."""
    await ensure_audit_topic(site.bootstrap, site.topic)
    store = open_store(site.folder)
    store.commit([bytes(32)] * 3, {site.topic: 3})
    store.close()
    with pytest.raises(AuditError, match=f"topic {site.topic} is at offset 0, before 3") as caught:
        await AuditLogService(site.context()).__aenter__()
    assert caught.value.code == "topic_lost"


async def test_a_log_that_must_stop_says_so_to_its_process(site: Site) -> None:
    """What ends the sequencer reaches whoever runs the service: here the folder goes away under it."""
    service = await AuditLogService(site.context()).__aenter__()
    shutil.rmtree(site.folder)
    site.folder.write_text("")
    await append(site, 1)
    with pytest.raises(AuditError, match="cannot be used"):
        await service.run_until(asyncio.Event())
    with pytest.raises(AuditError, match="cannot be used"):
        await service.__aexit__(None, None, None)


async def test_one_folder_has_one_process(site: Site) -> None:
    """A second service on the same folder is refused; after the first it may start."""
    async with AuditLogService(site.context()):
        with pytest.raises(AuditError) as caught:
            await AuditLogService(replace(site.context(), settings=elsewhere())).__aenter__()
        assert caught.value.code == "log_in_use"
    async with AuditLogService(replace(site.context(), settings=elsewhere())):
        pass


def elsewhere() -> AuditSettings:
    return AuditSettings(listen=f"127.0.0.1:{free_port()}", checkpoint_seconds=1)


async def test_a_key_that_the_directory_does_not_have_starts_no_log(site: Site) -> None:
    """A log whose checkpoints nobody would accept does not begin."""
    with pytest.raises(SettingsError, match="nobody would accept its checkpoints"):
        await AuditLogService(replace(site.context(), signer=OTHER_KEY)).__aenter__()
    assert not site.folder.exists()


async def test_an_origin_that_is_no_key_name_starts_no_log(site: Site) -> None:
    """An origin with a space could not stand in a checkpoint's signature."""
    site.world.content["audit_log"]["origin"] = "the log"
    with pytest.raises(SettingsError, match="no C2SP key name"):
        await AuditLogService(site.context()).__aenter__()


async def test_a_broker_that_is_not_there_is_named_at_the_start(site: Site) -> None:
    """Without Kafka neither the log nor a writer starts, and the message has the address."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnreachable, match=address):
        await AuditLogService(replace(site.context(), bootstrap=address)).__aenter__()
    with pytest.raises(BrokerUnreachable, match=address):
        await replace(site, bootstrap=address).writer().__aenter__()
    async with AuditLogService(site.context()):
        pass


async def test_the_topic_keeps_entries_for_ever(site: Site) -> None:
    """One partition, nothing deleted by age or size."""
    await append(site, 1)
    async with KafkaAdmin(site.bootstrap) as admin:
        settings = await admin.settings(site.topic)
        assert await admin.partitions([site.topic]) == {site.topic: 1}
    assert (settings["retention.ms"], settings["retention.bytes"], settings["cleanup.policy"]) == ("-1", "-1", "delete")


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"partitions": 2, "settings": {"retention.ms": "-1"}}, "has 2 partitions, expected 1"),
        ({"settings": {"retention.ms": "1000"}}, "retention.ms 1000, expected -1"),
        ({"compacted": True}, "cleanup.policy compact"),
    ],
)
async def test_a_topic_that_would_lose_entries_is_refused(site: Site, spec: dict[str, Any], what: str) -> None:
    """A topic with another shape or a retention is named with what would be right; nothing is written to it."""
    async with KafkaAdmin(site.bootstrap) as admin:
        await admin.ensure_topics([TopicSpec(site.topic, **spec)])
    with pytest.raises(SettingsError, match=what):
        await site.writer().__aenter__()


def test_a_log_has_the_order_of_one_topic() -> None:
    """Two gateways of a member share its topic; those of two members do not make one log."""
    world = World()
    gateways = world.content["gateways"]
    gateways.append({"agency": "UZ/GOV/egov/second", "url": "http://127.0.0.1:1"})
    assert log_topic(world.directory()) == "_exchange.audit.egov"
    gateways.append({"agency": str(TAX), "url": "http://127.0.0.1:1"})
    with pytest.raises(SettingsError, match=r"_exchange\.audit\.egov, _exchange\.audit\.tax"):
        log_topic(world.directory())
    gateways.clear()
    with pytest.raises(SettingsError, match="no gateway"):
        log_topic(world.directory())
