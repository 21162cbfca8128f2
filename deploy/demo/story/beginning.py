"""Lines 1 and 2: the instance is created, and its schemas are registered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from deploy.demo.load import load_all
from deploy.demo.report import require
from deploy.demo.stage import ROOT, Stage

TOPICS = {
    "gov.statistics.territory.territory-listed.v1": "statistics/territory-listed.v1.avsc",
    "gov.customs.tariff.code-listed.v1": "customs/code-listed.v1.avsc",
    "gov.hydromet.observations.weather-observed.v1": "hydromet/weather-observed.v1.avsc",
    "gov.interior.civil.residence-changed.v1": "interior/residence-changed.v1.avsc",
    "gov.transport.flights.flight-departed.v1": "transport/flight-departed.v1.avsc",
}
RESIDENCE = "gov.interior.civil.residence-changed.v1"
INCOMPATIBLE = ROOT / "deploy/demo/story/incompatible-residence-changed.avsc"
ADAPTERS = (
    *("statistics/territory", "customs/tariff", "hydromet/observations", "interior/civil", "tax/registry"),
    *("social/benefits", "transport/flights"),
)


def progress(stage: Stage) -> Progress:
    """The bars of the long parts."""
    columns = (TextColumn("   {task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=stage.report.console)


async def create_instance(stage: Stage) -> dict[str, Any]:
    """Line 1: legacy databases, keys, directory, and the processes that every instance has."""
    loading = asyncio.create_task(asyncio.to_thread(_load_databases, stage))
    adapters = [part for name in ADAPTERS for part in ("--adapter", str(ROOT / f"adapters/{name}.yaml"))]
    made = await stage.cli(
        *("init", str(ROOT / "deploy/demo/members.yaml"), "--data", str(stage.data), "--free-ports"),
        *("--kafka-libs", str(ROOT / ".cache/kafka-4.2.0"), *adapters),
    )
    stage.tell(f"{made.data['agencies']} agencies, directory signed by 2 of 3 operators until {made.data['expires']}")
    started = await stage.cli("up", "kafka", "topics", "registry", "gateway", "audit", "console")
    stage.tell("Kafka, registry, gateway, audit log and console are ready")
    databases = await loading
    listed = (await stage.cli("directory", "show")).data
    require(len(listed) == 9, f"expected eight agencies and the gateway's, found {len(listed)}")
    return {**made.data, "databases": databases, "processes": len(started.data) + 1}


def _load_databases(stage: Stage) -> dict[str, int]:
    rows: dict[str, int] = {}
    with progress(stage) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(agency: str, done: int, total: int) -> None:
            if agency not in tasks:
                tasks[agency] = bars.add_task(f"{agency}.db", total=total)
            bars.update(tasks[agency], completed=done)
            rows[agency] = done

        load_all(stage.data, advance, stage.sizes)
    return rows


async def register_schemas(stage: Stage) -> dict[str, Any]:
    """Line 2: registered by their owners; refused with 409 and 403 otherwise."""
    registered = await asyncio.gather(
        *(
            stage.cli("schema", "register", str(ROOT / "schemas" / file), "--topic", topic)
            for topic, file in TOPICS.items()
        )
    )
    ids = {topic: answer.data["id"] for topic, answer in zip(TOPICS, registered, strict=True)}
    for topic, number in ids.items():
        stage.tell(f"{topic}: schema id {number}")
    foreign = ROOT / "schemas/interior/residence-changed.v1.avsc"
    incompatible, not_owned = await asyncio.gather(
        _refusal(stage, INCOMPATIBLE, RESIDENCE, (), 409),
        _refusal(stage, foreign, RESIDENCE, ("--agency", "UZ/GOV/customs/tariff"), 403),
    )
    return {"schemas": ids, "incompatible": incompatible, "not_owned": not_owned}


async def _refusal(stage: Stage, file: Path, topic: str, options: tuple[str, ...], status: int) -> str:
    answer = await stage.cli("schema", "register", str(file), "--topic", topic, *options, expect=4)
    message = answer.err.strip().removeprefix("error: ")
    require(f"HTTP {status}" in message, f"expected HTTP {status}, got: {message}")
    stage.tell(f"refused: {message}")
    return message
