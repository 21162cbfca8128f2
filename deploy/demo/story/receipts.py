"""Line 7: every use left an entry, and its receipt proves it, offline."""

from __future__ import annotations

import json
from typing import Any

from deploy.demo.report import require
from deploy.demo.stage import Stage


async def verify_receipts(stage: Stage) -> dict[str, Any]:
    """Each receipt is completed with the log's proof, then verified with no process asked."""
    checkpoint = stage.home / "receipts" / "checkpoint"
    files = [str(path) for path in stage.receipts]
    await stage.cli("audit", "complete", *files)
    await stage.cli("audit", "checkpoint", "--write", str(checkpoint))
    await stage.cli("audit", "complete", *files, "--checkpoint", str(checkpoint))
    verified = await stage.cli("verify", "receipt", *files, "--checkpoint", str(checkpoint))
    proven = [json.loads(line) for line in verified.out.splitlines()]
    require(len(proven) == len(files), f"{len(proven)} of {len(files)} receipts verified")
    for entry in proven:
        stage.tell(f"leaf {entry['leaf_index']} of {entry['tree_size']}: {entry['decision']} ({entry['service']})")
    require(len({entry["leaf_index"] for entry in proven}) == len(stage.receipts), "two receipts prove one entry")
    await _require_tampering_shows(stage)
    return {"receipts": len(proven), "decisions": [entry["decision"] for entry in proven]}


async def _require_tampering_shows(stage: Stage) -> None:
    """A receipt with one character of its salt changed proves nothing."""
    text = stage.receipts[0].read_text(encoding="utf-8")
    place = text.index('"salt": "') + len('"salt": "')
    forged = stage.home / "receipts" / "forged.json"
    forged.write_text(text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :], encoding="utf-8")
    answer = await stage.cli("verify", "receipt", str(forged), expect=None)
    require(answer.code in (3, 9), f"a forged receipt was accepted: exit {answer.code}")
    stage.tell(f"a forged receipt is refused: {answer.err.strip().removeprefix('error: ')}")
