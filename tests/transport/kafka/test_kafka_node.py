"""The single node: started, killed, started again; and what it says when it cannot."""

from __future__ import annotations

import asyncio
import socket

import pytest

from exchange.errors import BrokerUnreachable, ProcessError, SettingsError
from exchange.transport.kafka import (
    IdempotentProducer,
    KafkaNode,
    Outgoing,
    Partition,
    PartitionConsumer,
    TopicSpec,
    TransactionalProducer,
    ensure_topics,
    free_port,
)
from tests.conftest import LIBS
from tests.fakes.tcp_proxy import END_TXN, TcpProxy


async def test_a_node_keeps_its_data_and_its_port_through_a_kill(tmp_path):
    """Killed and started again by another object, it has what was committed; a running one is left alone."""
    port = free_port()
    node = KafkaNode(libs=LIBS, data=tmp_path / "kafka", port=port, heap="256m")
    await node.start()
    await ensure_topics(node.bootstrap, [TopicSpec("kept", 3)])
    pid = node.pid
    await KafkaNode(libs=LIBS, data=tmp_path / "kafka", port=port).start()
    assert node.pid == pid
    writer = TransactionalProducer(node.bootstrap, "w", commit_seconds=2.0)
    await writer.start()
    async with IdempotentProducer(node.bootstrap, append_seconds=2.0) as producer:
        await producer.append("kept", b"v", partition=0)
        await node.kill()
        assert node.pid is None
        with pytest.raises(BrokerUnreachable, match=node.bootstrap):
            await producer.append("kept", b"v", partition=0)
    with pytest.raises(BrokerUnreachable, match=node.bootstrap):
        async with writer.transaction() as transaction:
            await transaction.write([Outgoing("kept", 0, None, b"v", [])])
    assert not writer.is_open
    async with KafkaNode(libs=LIBS, data=tmp_path / "kafka", port=port, heap="256m") as again:
        await ensure_topics(again.bootstrap, [TopicSpec("kept", 3)])
    assert again.pid is None
    await again.stop()


async def test_a_taken_port_is_said(tmp_path):
    """A port that somebody listens on is a setting to correct."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=str(port)):
            await KafkaNode(libs=LIBS, data=tmp_path, port=port).start()


async def test_missing_jars_and_missing_java_say_what_to_do(tmp_path):
    """Without jars it names `make kafka`; without java the package to install."""
    with pytest.raises(SettingsError, match="make kafka"):
        await KafkaNode(libs=tmp_path, data=tmp_path).start()
    with pytest.raises(SettingsError, match="openjdk"):
        await KafkaNode(libs=LIBS, data=tmp_path, java="no-such-java").start()


async def test_a_node_that_cannot_start_says_where_to_look(tmp_path):
    """Storage it cannot format, and a Java that ends at once, are said as such."""
    data = tmp_path / "kafka"
    data.mkdir()
    (data / "log").write_text("in the way")
    with pytest.raises(ProcessError, match="format"):
        await KafkaNode(libs=LIBS, data=data).start()
    (data / "formatted").touch()
    with pytest.raises(ProcessError, match=r"kafka\.log"):
        await KafkaNode(libs=LIBS, data=data, heap="1k").start()


async def test_a_pid_file_of_somebody_else_is_not_believed(tmp_path):
    """A number left in a pid file may be any process by now: it is neither a running node nor stopped."""
    (tmp_path / "kafka.pid").write_text("1")
    node = KafkaNode(libs=LIBS, data=tmp_path)
    assert node.pid is None
    await node.stop()
    (tmp_path / "kafka.pid").write_text("rubbish")
    assert node.pid is None


async def test_clients_are_sent_to_the_advertised_port(tmp_path):
    """What stands before a node sees all its clients' traffic, can lose it, and never the broker's own."""
    advertised = free_port()
    node = KafkaNode(libs=LIBS, data=tmp_path / "kafka", advertised_port=advertised, heap="256m")
    assert node.bootstrap == f"127.0.0.1:{advertised}"
    async with TcpProxy(target_port=node.port, port=advertised) as wire, node:
        await ensure_topics(node.bootstrap, [TopicSpec("events")])
        writer = TransactionalProducer(node.bootstrap, "w", commit_seconds=5.0)
        await writer.start()
        async with writer.transaction() as transaction:
            await transaction.write([Outgoing("events", 0, None, b"1", [])])
        wire.lose_answer(END_TXN)
        with pytest.raises(BrokerUnreachable):
            async with writer.transaction() as transaction:
                await transaction.write([Outgoing("events", 0, None, b"2", [])])
        assert wire.was_cut.is_set()
        async with PartitionConsumer(node.direct) as consumer:
            consumer.assign([Partition("events", 0)])
            read = []
            while len(read) < 2:
                for polled in await consumer.poll(seconds=1, limit=10):
                    read += [record.value for record in polled.records]
        assert read == [b"1", b"2"]  # its answer was lost, the transaction held
        wire.mend()
        wire.pause()
        again = TransactionalProducer(node.bootstrap, "w")
        starting = asyncio.create_task(again.start())
        await asyncio.wait([starting], timeout=0.5)
        assert not starting.done()
        wire.resume()
        await starting
        await again.close()
