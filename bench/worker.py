"""One publisher or subscriber as a process of its own: `python -m bench.worker`, started by `bench.processes`.

Reads one JSON object from stdin: what to do (`role`), where, on which topic, how many events, and how fast.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.contenders import Sealed
from bench.events import SCHEMA_TEXT, residents, residents_in_turn
from bench.instance import AGENCY, Instance, joined
from exchange.bus import NewEvent, Subscriber
from exchange.clock import SystemClock


async def main() -> None:
    """Do the one thing that was asked for, and print what was measured as one JSON object."""
    task = json.loads(sys.stdin.readline())
    topics = {task["topic"]: task["partitions"]}
    gc.set_threshold(100_000, 50, 100)  # as our processes do
    async with joined(task["kafka"], task["registry"], topics, bytes.fromhex(task["seed"])) as instance:
        found = await ROLES[task["role"]](instance, task)
    print(json.dumps(found | {"peak_mib": peak_mib()}))


async def publish(instance: Instance, task: dict[str, Any]) -> dict[str, Any]:
    """As fast as it goes, from events made on the way."""
    async with instance.publisher() as publisher:
        await publisher.open(task["topic"], SCHEMA_TEXT)
        events = residents_in_turn(task["events"])
        await publisher.publish_many(NewEvent(task["topic"], event, key=key) for key, event in events)
    return {}


async def consume(instance: Instance, task: dict[str, Any]) -> dict[str, Any]:
    """As fast as it goes."""
    return {"rate": await Sealed(instance).consume(task["topic"], task["events"])}


async def paced(instance: Instance, task: dict[str, Any]) -> dict[str, Any]:
    """One event at a time, `rate` a second, each published by itself."""
    async with instance.publisher() as publisher:
        await publisher.open(task["topic"], SCHEMA_TEXT)
        started, waiting = asyncio.get_running_loop().time(), set()
        for number, (key, event) in enumerate(residents(task["events"])):
            due = started + number / task["rate"]
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            sent = publisher.publish(task["topic"], event, key=key, time=datetime.now(UTC))
            waiting.add(asyncio.create_task(sent))
            waiting = {each for each in waiting if not each.done()}
        await asyncio.gather(*waiting)
    return {}


async def follow(instance: Instance, task: dict[str, Any]) -> dict[str, Any]:
    """From the time of each event to its verified delivery, ms; the first second is left out."""
    subscriber = Subscriber(
        AGENCY,
        f"bench-{task['topic']}",
        [task["topic"]],
        instance.kafka,
        lambda: instance.directory,
        instance.schemas(),
        SystemClock(),
    )
    took: list[float] = []
    async with subscriber:
        print("ready", flush=True)
        async for event in subscriber:
            took.append((datetime.now(UTC) - event.time).total_seconds() * 1000)
            if len(took) == task["events"]:
                break
    steady = sorted(took[task["rate"] :])
    return {"p50_ms": statistics.median(steady), "p99_ms": steady[int(len(steady) * 0.99)], "max_ms": steady[-1]}


def peak_mib() -> float:
    """The most memory this process had, MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


ROLES = {"publish": publish, "consume": consume, "paced": paced, "follow": follow}

if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
