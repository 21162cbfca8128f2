"""The demo's resident event: its schema, and synthetic residents whose encoded value has about 230 bytes, or 2 kB."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

SCHEMA_TEXT = (Path(__file__).parents[1] / "schemas" / "interior" / "residence-changed.v1.avsc").read_text()
START = datetime(2026, 1, 1, tzinfo=UTC)
FAMILIES = ("Karimov", "Yusupova", "Rahimov", "To‘xtayeva", "Abdullayev", "Saidova", "Ergashev", "Nazarova")
NAMES = ("Aziz", "Dilnoza", "Sardor", "Malika", "Jasur", "Nilufar", "Bobur", "Kamola")
STREETS = ("Bunyodkor", "Navoiy", "Amir Temur", "Mustaqillik", "Shota Rustaveli", "Furqat")


LARGE = 1_775
"""Characters more in the address of a large resident: the value has about 2,000 bytes."""
WORDS = ("ariza", "hujjat", "manzil", "mahalla", "tuman", "viloyat", "ro‘yxat", "guvohnoma", "sana", "imzo", "muhr")


def residents(count: int, *, large: bool = False, seed: int = 3) -> list[tuple[str, dict[str, Any]]]:
    """(key, event) of `count` residents, the same for a seed; the large ones with a long remark in the address."""
    return list(residents_in_turn(count, large=large, seed=seed))


def residents_in_turn(count: int, *, large: bool = False, seed: int = 3) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same, each made when it is asked for: as a source gives them, that has more than fit into memory."""
    chance = random.Random(seed)
    for number in range(count):
        key, event = _key(chance), _resident(chance, number)
        if large:
            event["address"] += _remark(chance)
        yield key, event


def _remark(chance: random.Random) -> str:
    text = ""
    while len(text) < LARGE:
        text += f" {chance.choice(WORDS)} {chance.randrange(10_000)}"
    return text[:LARGE]


def _key(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=26))


def _resident(chance: random.Random, number: int) -> dict[str, Any]:
    house, flat = chance.randrange(1, 120), chance.randrange(1, 90)
    return {
        "pinfl": f"{chance.randrange(10**13, 6 * 10**13)}",
        "document_number": f"AD{chance.randrange(10**6, 10**7)}",
        "family_name": chance.choice(FAMILIES),
        "given_name": chance.choice(NAMES),
        "patronymic": chance.choice(NAMES) + " o‘g‘li",
        "sex": chance.choice(("MALE", "FEMALE")),
        "birth_date": date(1940, 1, 1) + timedelta(days=chance.randrange(28_000)),
        "region_code": f"17{chance.randrange(3, 36):02d}",
        "district_code": f"17{chance.randrange(3, 36):02d}{chance.randrange(200, 420)}",
        "previous_district_code": f"17{chance.randrange(3, 36):02d}{chance.randrange(200, 420)}",
        "address": f"Yunusobod tumani, Minor mahallasi, {chance.choice(STREETS)} ko‘chasi, {house}-uy, {flat}-xonadon",
        "postal_code": f"{chance.randrange(100_000, 230_000)}",
        "registration_kind": "PERMANENT",
        "reason": "MOVED",
        "registered_by": f"Davlat xizmatlari markazi {chance.randrange(1, 210)}",
        "registration_number": f"R-2026-{number:08d}",
        "changed_at": START + timedelta(seconds=number),
    }
