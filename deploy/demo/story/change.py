"""Line 4: changes in the civil register reach social protection's table exactly once, through a SIGKILL."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from typing import Any

from deploy.demo.report import require
from deploy.demo.stage import Stage
from exchange.cli.supervisor import Supervisor

_ADAPTER = "adapter-social-benefits"
_BATCHES, _BATCH = 40, 50
_SECONDS = 60.0

# Every write of the copy leaves a line here: what was written twice would show twice.
_WITNESS = """
CREATE TABLE IF NOT EXISTS COPY_WITNESS (PINFL TEXT NOT NULL, ADDRESS TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS TRG_COPY_UPD AFTER UPDATE ON RESIDENCE_COPY BEGIN
  INSERT INTO COPY_WITNESS VALUES (NEW.PINFL, NEW.ADDRESS);
END;
CREATE TRIGGER IF NOT EXISTS TRG_COPY_INS AFTER INSERT ON RESIDENCE_COPY BEGIN
  INSERT INTO COPY_WITNESS VALUES (NEW.PINFL, NEW.ADDRESS);
END;
"""


async def follow_changes(stage: Stage) -> dict[str, Any]:
    """One change followed; then two thousand, with the follower killed half-way."""
    await _until(lambda: _copied(stage) == stage.counts["gov.interior.civil.residence-changed.v1"], "the first copy")
    stage.tell(f"social protection holds {_copied(stage):,} residences")
    one = await _follow_one(stage)
    many = await _follow_through_a_kill(stage)
    return {**one, **many}


async def _follow_one(stage: Stage) -> dict[str, Any]:
    [(pinfl,)] = stage.rows("interior", "SELECT PINFL FROM FUQARO ORDER BY ID DESC LIMIT 1")
    started = time.monotonic()
    with stage.database("interior") as civil:
        civil.execute("UPDATE FUQARO SET MANZIL = 'Demo ko‘chasi, 1-uy' WHERE PINFL = ?", (pinfl,))
    query = "SELECT 1 FROM RESIDENCE_COPY WHERE PINFL = ? AND ADDRESS = 'Demo ko‘chasi, 1-uy'"
    await _until(lambda: stage.rows("social", query, pinfl), "one change")
    seconds = round(time.monotonic() - started, 2)
    stage.tell(f"an UPDATE in the civil register was in social protection's table {seconds:.2f} s later")
    return {"one_change_seconds": seconds}


async def _follow_through_a_kill(stage: Stage) -> dict[str, Any]:
    with stage.database("social") as social:
        social.executescript(_WITNESS)
    changed = [
        row[0] for row in stage.rows("interior", "SELECT PINFL FROM FUQARO ORDER BY ID LIMIT ?", _BATCHES * _BATCH)
    ]
    writing = asyncio.create_task(asyncio.to_thread(_change_many, stage, changed))
    await _until(lambda: _witnessed(stage) > 0, "the first of the changes")
    seen = _witnessed(stage)
    killed = Supervisor(stage.home).running()[_ADAPTER].pid
    os.kill(killed, signal.SIGKILL)
    await writing
    stage.tell(f"{_ADAPTER} was killed with SIGKILL after {seen:,} of {len(changed):,} changes")
    require(seen < len(changed), "the adapter had already followed everything when it was killed")
    await stage.cli("up", "adapters")
    await _until(lambda: _witnessed(stage) >= len(changed), "all changes after the restart")
    await asyncio.sleep(1.0)  # time for a second copy to show, if there were one
    written = stage.rows("social", "SELECT COUNT(*), COUNT(DISTINCT PINFL || ADDRESS) FROM COPY_WITNESS")[0]
    require(written == (len(changed), len(changed)), f"{len(changed)} changes, but (writes, distinct) = {written}")
    require(
        _addresses(stage, "interior", "FUQARO", "MANZIL") == _addresses(stage, "social", "RESIDENCE_COPY", "ADDRESS"),
        "the copy differs from the register",
    )
    stage.tell(f"after the restart: {written[0]:,} changes written once each, the copy equals the register")
    return {"changes": len(changed), "killed_after": seen, "written": written[0], "written_distinct": written[1]}


def _change_many(stage: Stage, pinfls: list[str]) -> None:
    for start in range(0, len(pinfls), _BATCH):
        with stage.database("interior") as civil:
            for number, pinfl in enumerate(pinfls[start : start + _BATCH], start):
                civil.execute("UPDATE FUQARO SET MANZIL = ? WHERE PINFL = ?", (f"Ipak yo‘li, {number}-uy", pinfl))
        time.sleep(0.05)


def _copied(stage: Stage) -> int:
    return int(stage.rows("social", "SELECT COUNT(*) FROM RESIDENCE_COPY")[0][0])


def _witnessed(stage: Stage) -> int:
    return int(stage.rows("social", "SELECT COUNT(*) FROM COPY_WITNESS")[0][0])


def _addresses(stage: Stage, database: str, table: str, column: str) -> list[tuple[Any, ...]]:
    return stage.rows(database, f"SELECT PINFL, {column} FROM {table} ORDER BY PINFL")


async def _until(condition: Any, what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        require(time.monotonic() < deadline, f"{what} did not arrive within {_SECONDS:.0f} s")
        await asyncio.sleep(0.02)
