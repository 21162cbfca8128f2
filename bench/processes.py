"""What needs processes of its own: the memory of a publisher and a subscriber under load, and the time of one event."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bench.instance import Instance

LOAD_TOPIC = "gov.interior.civil.residence-changed-load.v1"
PACED_TOPIC = "gov.interior.civil.residence-changed-paced-{}.v1"
LOAD_EVENTS = 300_000
RATE, PACED_EVENTS = 500, 10_000


def topics(rounds: int) -> dict[str, int]:
    """The topics of these, with their partitions."""
    return {LOAD_TOPIC: 6} | {PACED_TOPIC.format(number): 1 for number in range(rounds)}


async def memory(instance: Instance, seed: bytes) -> dict[str, float]:
    """MiB at most, of a publisher and then of a subscriber, each with 300,000 events over 6 partitions."""
    task = {"topic": LOAD_TOPIC, "partitions": 6, "events": LOAD_EVENTS}
    found = {}
    for role in ("publish", "consume"):
        process = await start(instance, seed, {"role": role, **task})
        found[role] = (await result(process))["peak_mib"]
        print(f"  memory {role}: {found[role]:.0f} MiB", flush=True)
    return found


async def latency(instance: Instance, seed: bytes, number: int) -> dict[str, float]:
    """One round: 500 events a second for 20 s, one at a time, from one process to another; p50 and p99 in ms."""
    task = {"topic": PACED_TOPIC.format(number), "partitions": 1, "events": PACED_EVENTS, "rate": RATE}
    follower = await start(instance, seed, {"role": "follow", **task})
    assert follower.stdout is not None
    await follower.stdout.readline()
    publisher = await start(instance, seed, {"role": "paced", **task})
    await result(publisher)
    found = await result(follower)
    print(f"  latency p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms", flush=True)
    return found


async def start(instance: Instance, seed: bytes, task: dict[str, Any]) -> asyncio.subprocess.Process:
    """A worker with its task."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.worker", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None
    where = {"kafka": instance.kafka, "registry": instance.registry_url, "seed": seed.hex()}
    process.stdin.write(json.dumps(where | task).encode() + b"\n")
    process.stdin.close()
    return process


async def result(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """What a worker measured; AssertionError where it failed."""
    assert process.stdout is not None
    out = await process.stdout.read()
    assert await process.wait() == 0, "a worker failed: see above"
    return json.loads(out.splitlines()[-1])
