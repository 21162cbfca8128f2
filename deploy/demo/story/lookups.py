"""Line 6: lookups between agencies: denied, permitted, minimised, withdrawn; and one under a statute."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from deploy.demo.report import require
from deploy.demo.stage import Stage
from exchange.cli.calling import gateway_client
from exchange.errors import AccessDenied
from exchange.gateway import ConsentSubject, GatewayClient
from exchange.ids import AgencyId, Identifier

_TAX = "UZ/GOV/tax/registry/tax-standing"
_CIVIL = "UZ/GOV/interior/civil/residence"
_PROCUREMENT = AgencyId.parse("UZ/GOV/procurement/tenders")
_SOCIAL = AgencyId.parse("UZ/GOV/social/benefits")
_PURPOSE = "tender-eligibility"
_CASE = "lot 2026-0001"
_NOTICE = hashlib.sha256(b"Sizning soliq holatingiz tender uchun tekshiriladi.").hexdigest()


async def look_up(stage: Stage) -> dict[str, Any]:
    """A bidder's consent opens what the agreement has, no more, and closes it again."""
    bidder = Identifier("uz-tin", stage.rows("procurement", "SELECT STIR FROM TAKLIF ORDER BY TAKLIF_ID LIMIT 1")[0][0])
    async with gateway_client(stage.instance, _PROCUREMENT) as gateway:
        figures = await _bidder(stage, gateway, bidder)
    async with gateway_client(stage.instance, _SOCIAL) as gateway:
        figures["statute"] = await _resident(stage, gateway)
    return {**figures, "receipts": len(stage.receipts)}


async def _bidder(stage: Stage, gateway: GatewayClient, bidder: Identifier) -> dict[str, Any]:
    about = ConsentSubject(bidder, _PROCUREMENT, _TAX, _PURPOSE)
    agreed = ["standing", "debt_uzs"]
    before = await _denied(stage, gateway, bidder, agreed)
    until = stage.instance.clock.now() + timedelta(days=90)
    await gateway.give_consent(about, agreed, language="uz", notice_digest=_NOTICE, valid_until=until)
    stage.tell("the bidder's consent is recorded")
    started = time.monotonic()
    result = await gateway.lookup(_TAX, bidder, _PURPOSE, agreed, _CASE)
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    _keep(stage, result.receipt)
    require(set(result.data) == set(agreed), f"asked for {agreed}, got {sorted(result.data)}")
    _require_true(stage, bidder, result.data)
    stage.tell(f"permitted in {milliseconds} ms, with {', '.join(sorted(result.data))} and nothing else")
    beyond = await _denied(stage, gateway, bidder, [*agreed, "owner_pinfl"])
    withdrawing = time.monotonic()
    await gateway.withdraw_consent(about)
    after = await _denied(stage, gateway, bidder, agreed)
    withdrawn = round((time.monotonic() - withdrawing) * 1000, 1)
    stage.tell(f"withdrawn; the next lookup was denied {withdrawn} ms after the withdrawal was sent")
    codes = [before, beyond, after]
    require(codes == ["consent_missing", "field_not_agreed", "consent_withdrawn"], f"unexpected denials: {codes}")
    return {"denials": codes, "permitted_ms": milliseconds, "withdrawn_to_denied_ms": withdrawn}


async def _denied(stage: Stage, gateway: GatewayClient, bidder: Identifier, fields: list[str]) -> str:
    try:
        await gateway.lookup(_TAX, bidder, _PURPOSE, fields, _CASE)
    except AccessDenied as denial:
        require(denial.receipt is not None, "a denial without a receipt")
        _keep(stage, denial.receipt or {})
        stage.tell(f"{', '.join(fields)}: denied, {denial.code}")
        return denial.code
    return "permitted"


async def _resident(stage: Stage, gateway: GatewayClient) -> dict[str, Any]:
    [(pinfl, region, district)] = stage.rows("interior", "SELECT PINFL, VIL_KOD, TUM_KOD FROM FUQARO WHERE ID = 42")
    fields = ["region_code", "district_code"]
    result = await gateway.lookup(_CIVIL, Identifier("uz-pinfl", pinfl), "benefit-assignment", fields, "case 2026-17")
    _keep(stage, result.receipt)
    require(result.data == {"region_code": region, "district_code": district}, "not what the civil register says")
    stage.tell("social protection looked a resident up under a statute: permitted without consent, and logged")
    return {"permitted": True, "fields": sorted(result.data)}


def _require_true(stage: Stage, bidder: Identifier, data: Mapping[str, Any]) -> None:
    [(debt,)] = stage.rows("tax", "SELECT QARZ_SUM FROM TAXPAYERS WHERE STIR = ?", bidder.value)
    require(str(data["debt_uzs"]) == debt, "the debt differs from the tax committee's table")


def _keep(stage: Stage, receipt: Mapping[str, Any]) -> None:
    folder: Path = stage.home / "receipts"
    folder.mkdir(exist_ok=True)
    path = folder / f"receipt-{len(stage.receipts) + 1}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(receipt), indent=2))
    stage.receipts.append(path)
