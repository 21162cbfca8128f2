"""What `exchange up` starts, and what it leaves to others."""

from __future__ import annotations


def test_a_cluster_of_several_brokers_is_not_started_here(run, home, monkeypatch):
    """`exchange up` starts one node: where settings name several, it says how to start the rest without it."""
    monkeypatch.setenv("EXCHANGE_KAFKA_BOOTSTRAP", "kafka-1:9092,kafka-2:9092")
    answer = run("up", "kafka")
    assert answer.code == 2
    assert "kafka-1:9092,kafka-2:9092" in answer.err
    assert "exchange up topics registry" in answer.err
