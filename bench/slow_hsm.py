"""`python -m bench.slow_hsm`: what an HSM of 50 signatures a second costs a publisher; writes bench/results/hsm.json.

The same events are published in alternating rounds with a key in memory and with a signer that takes 20 ms a signature:
one at a time, blocking its thread and leaving the interpreter to others, as python-pkcs11 does while an HSM signs.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import threading
import time
from dataclasses import replace
from pathlib import Path

from bench.contenders import Sealed
from bench.events import residents
from bench.instance import running
from exchange.trust import PublicKey, SigningKey

RESULTS = Path(__file__).parent / "results" / "hsm.json"
SIGNATURE_SECONDS = 0.020
BAR = 0.9
Rates = dict[str, list[float]]


class SlowSigner:
    """Signs with a key in memory, no sooner than an HSM would; counts what it signed."""

    def __init__(self, key: SigningKey) -> None:
        self._key = key
        self._one_at_a_time = threading.Lock()
        self.signatures = 0

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        """64 bytes, 20 ms later."""
        with self._one_at_a_time:
            due = time.perf_counter() + SIGNATURE_SECONDS
            signature = self._key.sign(message)
            time.sleep(max(0.0, due - time.perf_counter()))
            self.signatures += 1
        return signature

    def current(self) -> SlowSigner:
        """Itself: one key."""
        return self


async def measure(rounds: int, count: int) -> tuple[Rates, int]:
    """Events per second by signer, one figure a round, and the slow one's signatures; round 0 warms up."""
    rates: Rates = {"memory": [], "hsm": []}
    topics = {(name, each): topic_name(name, each) for name in rates for each in range(rounds + 1)}
    events = residents(count)
    async with running(dict.fromkeys(topics.values(), 1)) as instance:
        slow = SlowSigner(instance.key)
        signers = {"memory": instance.key, "hsm": slow}
        gc.collect()
        gc.set_threshold(100_000, 50, 100)  # as our processes do
        for each in range(rounds + 1):
            for name in sorted(signers, reverse=each % 2 == 0):
                publisher = Sealed(replace(instance, key=signers[name]))
                rate = await publisher.publish(topics[name, each], events)
                print(f"  {name:8} publish {rate:>9,.0f}/s", flush=True)
                if each:
                    rates[name].append(rate)
    return rates, slow.signatures // (rounds + 1)


def topic_name(name: str, number: int) -> str:
    """A topic of the interior's civil register for one signer's round."""
    return f"gov.interior.civil.residence-changed-{name}-{number}.v1"


def report(rates: Rates, signatures: int, rounds: int, count: int) -> dict[str, object]:
    """Medians, the median of the rounds' ratios, and whether the bar is met."""
    ratio = statistics.median(slow / fast for slow, fast in zip(rates["hsm"], rates["memory"], strict=True))
    return {
        "command": f"python -m bench.slow_hsm --rounds {rounds} --events {count}",
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "rounds": rounds,
        "events": count,
        "signature_milliseconds": SIGNATURE_SECONDS * 1000,
        "signatures_per_round": signatures,
        "medians_per_second": {name: statistics.median(each) for name, each in rates.items()},
        "rates_per_second": rates,
        "bars": [
            {"discipline": "publish", "rival": "memory", "ratio": round(ratio, 3), "bar": BAR, "met": ratio >= BAR}
        ],
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.slow_hsm", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    rates, signatures = asyncio.run(measure(chosen.rounds, chosen.events))
    result = report(rates, signatures, chosen.rounds, chosen.events)
    chosen.out.parent.mkdir(exist_ok=True)
    chosen.out.write_text(json.dumps(result, indent=2) + "\n")
    (bar,) = result["bars"]
    verdict = "met" if bar["met"] else "NOT MET"
    print(f"{signatures} signatures of {SIGNATURE_SECONDS * 1000:.0f} ms a round")
    print(f"publish with a slow HSM vs key in memory: {bar['ratio']:.2f} x (bar {BAR} x): {verdict}")
    print(f"written to {chosen.out}")


if __name__ == "__main__":
    main()
