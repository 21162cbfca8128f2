"""`exchange registry --open` as a process: a client needs nothing but its address."""

import signal
import subprocess
import sys

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from exchange.transport.web import free_port
from tests.clients.rest import ONE

PATIENT = {"max.retries": 600, "retries.wait.ms": 50, "retries.max.wait.ms": 50}


@pytest.fixture
def process(kafka, tmp_path):
    """The process and its URL; it is asked to end after the test."""
    listen = f"127.0.0.1:{free_port()}"
    (tmp_path / "exchange.yaml").write_text(f"kafka: {{bootstrap: {kafka}}}\nregistry: {{listen: {listen}}}\n")
    command = [sys.executable, "-m", "exchange.cli", "--home", tmp_path, "registry", "--open"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    yield process, f"http://{listen}"
    process.kill()
    process.communicate()


def test_a_client_is_served_by_a_process(process, subject):
    """It registers and reads as soon as the process is up; the process said that it is open, and ends when asked."""
    running, url = process
    client = SchemaRegistryClient({"url": url, **PATIENT})
    schema_id = client.register_schema(subject, Schema(ONE, "AVRO"))
    assert SchemaRegistryClient({"url": url}).get_schema(schema_id).schema_str == ONE
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 0
    assert "registry_is_open" in said
