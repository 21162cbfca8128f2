"""Events per second of the three contenders, in alternating rounds: small events on 1 and 6 partitions, large ones."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.contenders import Contender, contenders
from bench.events import residents
from bench.instance import Instance

NAMES = ("exchange", "aiokafka", "confluent-kafka")
Rounds = dict[str, dict[str, list[float]]]
"""publish or consume -> contender -> one figure a round."""


@dataclass(frozen=True)
class Course:
    """One way of running: how many partitions, and which events."""

    name: str
    partitions: int = 1
    large: bool = False
    rates: Rounds = field(
        default_factory=lambda: {kind: {name: [] for name in NAMES} for kind in ("publish", "consume")}
    )

    def topic(self, contender: str, number: int) -> str:
        """A topic of the interior's civil register for one contender's round."""
        return f"gov.interior.civil.residence-changed-{self.name}-{contender}-{number}.v1"


def courses() -> list[Course]:
    """The three that bars are set for."""
    return [Course("small"), Course("wide", partitions=6), Course("large", large=True)]


def topics(every: list[Course], rounds: int) -> dict[str, int]:
    """Every topic of every round, with its partitions."""
    return {
        each.topic(name, number): each.partitions for each in every for name in NAMES for number in range(rounds + 1)
    }


async def run(instance: Instance, course: Course, rounds: int, count: int) -> None:
    """Fill a course's rates; round 0 warms up and is left out."""
    events = residents(count, large=course.large)
    runners = list(contenders(instance))
    for number in range(rounds + 1):
        for runner in runners[number % 3 :] + runners[: number % 3]:
            published, consumed = await _one_round(runner, course.topic(runner.name, number), events)
            print(
                f"  {course.name:6} {runner.name:16} publish {published:>9,.0f}/s   consume {consumed:>9,.0f}/s",
                flush=True,
            )
            if number:
                course.rates["publish"][runner.name].append(published)
                course.rates["consume"][runner.name].append(consumed)


async def _one_round(runner: Contender, topic: str, events: list[Any]) -> tuple[float, float]:
    return await runner.publish(topic, events), await runner.consume(topic, len(events))


def bytes_on_disk(logs: Path, topic: str) -> int:
    """What the broker's segments of a topic take, without their indexes."""
    return sum(path.stat().st_size for path in logs.glob(f"{topic}-*/*.log"))


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Round by round: the machine's speed drifts, and the contenders of one round meet about the same."""
    return statistics.median(each / other for each, other in zip(ours, theirs, strict=True))
