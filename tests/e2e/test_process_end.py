"""A process that is told to stop while Kafka stands still: it ends in time all the same."""

import asyncio
import sqlite3
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.demo.load import Sizes, load_all
from exchange.transport.kafka import KafkaNode
from exchange.transport.web import free_port
from tests.conftest import LIBS

REGISTRY = ("schema", "register", "schemas/interior/residence-changed.v1.avsc")
TOPIC = "gov.interior.civil.residence-changed.v1"


@pytest.fixture
def node():
    """A Kafka of its own, which may be let stand still."""
    with TemporaryDirectory(prefix="exchange-kafka-") as data:
        node = KafkaNode(libs=LIBS, data=Path(data), heap="256m")
        asyncio.run(node.start())
        try:
            yield node
        finally:
            node.resume()
            asyncio.run(node.stop())


def test_every_process_ends_in_time_while_kafka_stands_still(make_home, node, tmp_path):
    """All within ten seconds of SIGTERM: with 0, or where rows were under way with what became of them."""
    load_all(tmp_path / "data", sizes=Sizes(flights=10, observations=10, residents=300))
    home = make_home(node.bootstrap)
    assert home.run("up", "topics").returncode == 0
    children = {}
    for name in ("registry", "gateway", "audit"):
        children[name] = home.start(name)
        home.ready(children[name], home.url(name))
    registered = home.run(*REGISTRY, "--topic", TOPIC)
    assert registered.returncode == 0, registered.stderr
    for file in ("interior/civil.yaml", "social/benefits.yaml"):
        listen = f"127.0.0.1:{free_port()}"
        children[file] = home.start("adapter", "run", f"adapters/{file}", EXCHANGE_ADAPTER_METRICS_LISTEN=listen)
        home.ready(children[file], f"http://{listen}")
    node.pause()
    with sqlite3.connect(tmp_path / "data" / "interior.db") as connection:
        connection.execute("UPDATE FUQARO SET MANZIL = MANZIL || ', 2'")
    time.sleep(3)  # the adapter has met rows that it cannot publish
    for name, child in children.items():
        began = time.monotonic()
        code, err = home.stop(child, seconds=60)
        took = time.monotonic() - began
        assert took < 10, (name, took)
        assert "Traceback" not in err, (name, err)
        if name == "interior/civil.yaml":
            assert (code, "is not committed" in err) == (10, True), err
        else:
            assert code == 0, (name, err)
