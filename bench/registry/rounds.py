"""One round after the other: against a registry of 10,000 schemas the disciplines, of 50,000 start-ups and memory."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.instance import LIBS
from bench.registry import corpus, disciplines
from bench.registry.corpus import Version
from bench.registry.disciplines import Known
from bench.registry.load import Job, Measured, Request, new_process, run
from bench.registry.server import HOST, Contender, Server, cpu_seconds, started
from bench.registry.topic import fill
from exchange.transport.kafka import KafkaNode

CLIENTS = 16
BIG_CLIENTS = 2
_SECONDS = 5.0
_BIG_SECONDS = 10.0
_BIG_REQUESTS = 12
Figures = dict[str, Any]
Make = Callable[[Known, str], list[Request]]
DISCIPLINES: dict[str, tuple[Make, bool]] = {
    "reads": (disciplines.reads, True),
    "lookups": (disciplines.lookups, True),
    "checks": (disciplines.checks, False),
    "new subjects": (disciplines.new_subjects, False),
    "new subjects and versions": (disciplines.new_versions, False),
}
BESIDE_BIG = "reads beside 2 MB checks"


@dataclass(slots=True)
class Bench:
    """What a round needs: a registry, its Kafka, and the processes that make the load."""

    server: Server
    broker: int
    known: Known
    load: ProcessPoolExecutor
    others: ProcessPoolExecutor

    async def discipline(self, name: str, mark: str, seconds: float = _SECONDS) -> Figures:
        """Sixteen clients, one discipline."""
        make, cycle = DISCIPLINES[name]
        registers = make in (disciplines.new_subjects, disciplines.new_versions)
        return await self._measured(self._job(make(self.known, mark), CLIENTS, seconds, cycle, registers))

    async def first_lookup(self, mark: str) -> float:
        """Seconds that one lookup takes: what a start puts off shows here."""
        [request, *_] = disciplines.lookups(self.known, mark)
        measured = await asyncio.wrap_future(self.load.submit(run, self._job([request], 1, _SECONDS, False)))
        return measured.latencies[0]

    async def beside_big(self, texts: dict[str, str], mark: int) -> Figures:
        """The reads of sixteen clients while two others check schemas of 2 MB, and how those fare."""
        big = self._job(disciplines.big_checks(texts, mark, _BIG_REQUESTS), BIG_CLIENTS, _BIG_SECONDS, True)
        reads = self._job(disciplines.reads(self.known, f"beside {mark}"), CLIENTS, _BIG_SECONDS, True)
        beside = asyncio.wrap_future(self.others.submit(run, big))
        figures = await self._measured(reads)
        checked = await beside
        return {**figures, "big_checks": len(checked.latencies), "big_p50_ms": _percentile(checked.latencies, 50)}

    def _job(
        self, requests: list[Request], clients: int, seconds: float, cycle: bool, distinct_ids: bool = False
    ) -> Job:
        return Job(HOST, self.server.port, requests, clients, seconds, cycle, distinct_ids)

    async def _measured(self, job: Job) -> Figures:
        before = cpu_seconds(self.server.pid), cpu_seconds(self.broker)
        measured = await asyncio.wrap_future(self.load.submit(run, job))
        after = cpu_seconds(self.server.pid), cpu_seconds(self.broker)
        registry, broker = (round(b - a, 2) for a, b in zip(before, after, strict=True))
        cpu = {"registry": registry, "broker": broker, "load": round(measured.cpu_seconds, 2)}
        return {**_figures(measured), "cpu_seconds": cpu}


async def traffic(contenders: list[Contender], count: int, rounds: int) -> dict[str, dict[str, list[Figures]]]:
    """Figures by contender and discipline, one a round; round 0 warms up and is left out."""
    subjects, texts = corpus.subjects(count), corpus.big_texts()
    big = [Version(name, 1, count + number, text) for number, (name, text) in enumerate(texts.items(), 1)]
    versions = [version for subject in subjects for version in subject.versions]
    found: dict[str, dict[str, list[Figures]]] = {each.name: {} for each in contenders}
    async with AsyncExitStack() as stack:
        node, folder = await _kafka(stack)
        load, others = (stack.enter_context(new_process()) for _ in range(2))
        benches = {}
        for each in contenders:
            await fill(node.bootstrap, each.topic, [*versions, *big])
            server = await stack.enter_async_context(started(each, node.bootstrap, folder))
            benches[each.name] = Bench(server, node.pid or 0, Known.of(subjects), load, others)
        for number in range(rounds + 1):
            order = contenders[number % len(contenders) :] + contenders[: number % len(contenders)]
            for each in order:
                one = await _round(benches[each.name], texts, number)
                _show(each.name, number, one)
                if number:
                    for discipline, figures in one.items():
                        found[each.name].setdefault(discipline, []).append(figures)
    return found


async def startups(contenders: list[Contender], count: int, rounds: int) -> dict[str, list[Figures]]:
    """Seconds until ready, and MiB after the start and after traffic, by contender, one a round.

    Each round has a Kafka of its own: what the traffic of one registers, the next would have to hold.
    """
    subjects = corpus.subjects(count)
    versions = [version for subject in subjects for version in subject.versions]
    found: dict[str, list[Figures]] = {each.name: [] for each in contenders}
    for number in range(rounds):
        async with AsyncExitStack() as stack:
            node, folder = await _kafka(stack)
            load = stack.enter_context(new_process())
            for each in contenders:
                await fill(node.bootstrap, each.topic, versions)
                async with started(each, node.bootstrap, folder) as server:
                    bench = Bench(server, node.pid or 0, Known.of(subjects), load, load)
                    one = await _started(bench, f"start{number}")
                print(f"  {each.name:10} start {number + 1}: {one}", flush=True)
                found[each.name].append(one)
    return found


async def _started(bench: Bench, mark: str) -> Figures:
    after_start, cpu = bench.server.memory(), cpu_seconds(bench.server.pid)
    first = await bench.first_lookup(mark)
    for name in DISCIPLINES:
        await bench.discipline(name, mark, seconds=2.0)
    return {
        "seconds": round(bench.server.start_seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "seconds_to_first_lookup": round(bench.server.start_seconds + first, 2),
        "mib_after_start": asdict(after_start),
        "mib_after_traffic": asdict(bench.server.memory()),
    }


async def _round(bench: Bench, texts: dict[str, str], number: int) -> dict[str, Figures]:
    figures = {name: await bench.discipline(name, f"r{number}") for name in DISCIPLINES}
    return {**figures, BESIDE_BIG: await bench.beside_big(texts, number)}


async def _kafka(stack: AsyncExitStack) -> tuple[KafkaNode, Path]:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="exchange-bench-registry-")))
    return await stack.enter_async_context(KafkaNode(libs=LIBS, data=folder / "kafka")), folder


def _figures(measured: Measured) -> Figures:
    latencies = measured.latencies
    return {
        "requests": len(latencies),
        "per_second": round(len(latencies) / measured.seconds, 1),
        **{f"p{each}_ms": _percentile(latencies, each) for each in (50, 95, 99)},
    }


def _percentile(latencies: list[float], percent: int) -> float:
    if len(latencies) < 2:
        return round(1_000 * sum(latencies), 2)
    return round(1_000 * statistics.quantiles(latencies, n=100, method="inclusive")[percent - 1], 2)


def _show(name: str, number: int, figures: dict[str, Figures]) -> None:
    for discipline, each in figures.items():
        numbers = "  ".join(f"{key} {value}" for key, value in each.items())
        print(f"  {name:10} round {number}  {discipline:26} {numbers}", flush=True)
