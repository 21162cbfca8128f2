"""The alert rules that we ship name metrics that our processes have, by labels that these have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from ruamel.yaml import YAML

import exchange.bus.metrics

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
RULES = YAML(typ="safe").load(FOLDER / "bus.rules.yml")
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
METRIC = re.compile(r"\bexchange_[a-z_]+\b")
LABELS = re.compile(r"by \(([a-z, ]+)\)")
OURS = {
    name: metric
    for metric in vars(exchange.bus.metrics).values()
    if hasattr(metric, "_labelnames")
    for name in REGISTRY._collector_to_names[metric]
}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_rule_is_about_metrics_that_exist(rule):
    """A metric that was renamed would make an alert silent for ever."""
    names = METRIC.findall(rule["expr"])
    assert names
    for name in names:
        assert name in OURS, f"{name}: no such metric of the bus"
        for labels in LABELS.findall(rule["expr"]):
            assert set(labels.split(", ")) <= set(OURS[name]._labelnames)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_happened_and_what_to_do(rule):
    """Whoever is called at night reads a sentence about what is wrong, and one about what to look at."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert len(rule["annotations"]["description"]) > 30
    for label in re.findall(r"\$labels\.([a-z]+)", rule["annotations"]["summary"]):
        assert label in str(LABELS.findall(rule["expr"]))


def test_parentheses_are_balanced():
    """An expression that Prometheus cannot parse stops it from loading any rule of the file."""
    for rule in ALERTS:
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert rule["expr"].count("[") == rule["expr"].count("]")


def test_holes_replays_and_forks_are_alerted_apart():
    """Each of the three has an alert of its own, and calls somebody."""
    critical = " ".join(rule["expr"] for rule in ALERTS if rule["labels"]["severity"] == "critical")
    for what in ("gaps", "replays", "forks"):
        assert f"exchange_sequence_{what}_total" in critical
