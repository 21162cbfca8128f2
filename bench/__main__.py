"""`python -m bench`: alternating rounds, medians, a table, and bench/results/bus.json."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
from pathlib import Path

from bench.contenders import Contender, contenders
from bench.events import residents
from bench.instance import running

RESULTS = Path(__file__).parent / "results" / "bus.json"
BARS = {
    ("publish", "aiokafka"): 1.0,
    ("consume", "aiokafka"): 0.5,
    ("consume", "confluent-kafka"): 1.4,
}
Rates = dict[str, dict[str, list[float]]]


async def measure(rounds: int, count: int) -> Rates:
    """Events per second of each contender, by discipline, one figure a round; round 0 warms up and is left out."""
    names = ("exchange", "aiokafka", "confluent-kafka")
    topics = {(name, each): topic_name(name, each) for name in names for each in range(rounds + 1)}
    rates: Rates = {"publish": {name: [] for name in names}, "consume": {name: [] for name in names}}
    events = residents(count)
    async with running(sorted(topics.values())) as instance:
        runners = list(contenders(instance))
        gc.collect()
        gc.set_threshold(100_000, 50, 100)  # as our processes do; for every contender alike
        for each in range(rounds + 1):
            for runner in runners[each % 3 :] + runners[: each % 3]:
                await one_round(runner, topics[runner.name, each], events, rates if each else None)
    return rates


async def one_round(runner: Contender, topic: str, events: list, rates: Rates | None) -> None:
    """Publish to a fresh topic, then read it back."""
    published = await runner.publish(topic, events)
    consumed = await runner.consume(topic, len(events))
    print(f"  {runner.name:16} publish {published:>9,.0f}/s   consume {consumed:>9,.0f}/s", flush=True)
    if rates is not None:
        rates["publish"][runner.name].append(published)
        rates["consume"][runner.name].append(consumed)


def topic_name(name: str, number: int) -> str:
    """A topic of the interior's civil register for one contender's round."""
    return f"gov.interior.civil.residence-changed-{name}-{number}.v1"


def report(rates: Rates, rounds: int, count: int) -> dict[str, object]:
    """Medians, the medians of the rounds' ratios, and whether each bar is met."""
    medians = {kind: {name: statistics.median(each) for name, each in by.items()} for kind, by in rates.items()}
    bars = []
    for (kind, rival), bar in BARS.items():
        # Round by round: the machine's speed drifts, and the contenders of one round meet about the same.
        pairs = zip(rates[kind]["exchange"], rates[kind][rival], strict=True)
        ratio = statistics.median(ours / theirs for ours, theirs in pairs)
        bars.append({"discipline": kind, "rival": rival, "ratio": round(ratio, 3), "bar": bar, "met": ratio >= bar})
    return {
        "command": f"python -m bench --rounds {rounds} --events {count}",
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "rounds": rounds,
        "events": count,
        "medians_per_second": medians,
        "rates_per_second": rates,
        "bars": bars,
    }


def show(result: dict) -> None:
    """The table."""
    print(f"\n{'median of ' + str(result['rounds']) + ' rounds':24}{'publish/s':>12}{'consume/s':>12}")
    for name in result["medians_per_second"]["publish"]:
        publish, consume = (result["medians_per_second"][kind][name] for kind in ("publish", "consume"))
        print(f"{name:24}{publish:>12,.0f}{consume:>12,.0f}")
    for bar in result["bars"]:
        verdict = "met" if bar["met"] else "NOT MET"
        print(f"{bar['discipline']} vs {bar['rival']:16} {bar['ratio']:.2f} x (bar {bar['bar']:.1f} x): {verdict}")


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=60_000)
    chosen = parser.parse_args()
    result = report(asyncio.run(measure(chosen.rounds, chosen.events)), chosen.rounds, chosen.events)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    show(result)
    print(f"written to {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")


if __name__ == "__main__":
    main()
