"""`exchange adapter check`: what is wrong or doubtful is found, each thing with its place."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from exchange.connect import check_adapter, load_adapter
from exchange.trust import Directory, SigningKey
from tests.connect.world import ADAPTER, FOLLOWER

KEY = {
    "public": SigningKey.from_seed(b"s" * 32).public.text,
    "not_before": "2026-01-01T00:00:00Z",
    "not_after": "2030-01-01T00:00:00Z",
}
SERVICE = """\
version: 1
agency: UZ/GOV/hydromet/observations
database: {url: 'sqlite:///${DATA}/legacy.db'}
services:
  - name: station
    listen: 127.0.0.1:9999
    table: OBS
    individual: {scheme: uz-tin, column: ORIGIN}
    fields:
      temperature: TEMP
      kind: {column: KIND, codes: {1: urban}}
"""


def directory(topic=(), status="active", personal=False, **service):
    """A directory of the hydrometeorological service and the interior ministry."""
    topics = [
        {
            "name": "gov.hydromet.observations.weather-observed.v1",
            "publishers": ["hourly"],
            **dict(topic),
        }
    ]
    station = {
        "name": "station",
        "url": "http://127.0.0.1:1",
        "individual_scheme": "uz-tin",
        "fields": ["temperature", "kind"],
        **service,
    }
    moved = {"name": "gov.interior.civil.residence-changed.v1", "publishers": ["civil"], "personal": personal}
    content = {
        "instance": "UZ",
        "version": 1,
        "issued": "2026-01-01T00:00:00Z",
        "expires": "2030-01-01T00:00:00Z",
        "registry_url": "http://127.0.0.1:1",
        "audit_log": {"origin": "uz/audit", "url": "http://127.0.0.1:1", "key": KEY},
        "gateways": [],
        "members": [
            member("UZ/GOV/hydromet", status, name="observations", topics=topics, services=[station]),
            member("UZ/GOV/interior", "active", name="civil", topics=[moved]),
        ],
    }
    return Directory.parse(json.dumps(content).encode(), "digest")


def member(member_id, status, **subsystem):
    """A member of one subsystem."""
    return {"id": member_id, "name": "A member", "status": status, "subsystems": [{"keys": [KEY], **subsystem}]}


async def findings(legacy, text, known=None):
    """Severity, line:column and message of each finding."""
    file = legacy.adapter(text)
    found = await check_adapter(file, root=legacy.folder, directory=known, pepper=b"p")
    start = f"{file.path}:"
    return [(each.severity, each.place.removeprefix(start), each.message) for each in found]


@pytest.mark.parametrize("text", [ADAPTER, FOLLOWER], ids=["publisher", "subscription"])
async def test_a_good_file_has_no_findings(legacy, text):
    """Neither with the directory nor without."""
    legacy.observe(("A", 1, "1", 1))
    assert await findings(legacy, text) == []
    assert await findings(legacy, text, directory()) == []


async def test_nothing_is_written(legacy):
    """Not even the position table."""
    await findings(legacy, FOLLOWER)
    assert legacy.run("SELECT count(*) FROM sqlite_master WHERE name = 'EXCHANGE_POSITION'") == [(0,)]


async def test_everything_wrong_is_found_at_once(legacy):
    """One finding for each thing, each with its own line."""
    text = (
        ADAPTER.replace("cursor: IZM", "cursor: SEQ")
        .replace("station: ORIGIN", "statoin: NAME")
        .replace("{1: urban", "{1: urbane")
    )
    found = await findings(legacy, text)
    assert [(severity, place) for severity, place, _ in found] == [
        ("error", "15:7"),
        ("error", "17:7"),
        ("error", "14:5"),
        ("error", "15:7"),
        ("error", "11:5"),
    ]
    messages = "\n".join(message for _, _, message in found)
    for words in (
        "field 'statoin' is not in the schema, which has station, temperature, kind",
        "'urbane' is not a symbol of field 'kind', which has rural, urban",
        "field 'station' of the schema has no default and is not mapped",
        "table OBS has no column NAME",
        "table OBS has no column SEQ",
    ):
        assert words in messages


async def test_a_constant_must_be_a_symbol_too(legacy):
    """As codes must."""
    text = ADAPTER.replace("{column: KIND, codes: {1: urban, 2: rural}}", "{value: suburban}")
    [(severity, place, message)] = await findings(legacy, text)
    assert (severity, place) == ("error", "17:7")
    assert "'suburban' is not a symbol" in message
    assert await findings(legacy, text.replace("suburban", "urban")) == []


async def test_a_cursor_without_a_unique_index_is_doubtful(legacy):
    """It may be slow, and may stop the publisher."""
    legacy.run("CREATE TABLE LOOSE (ORIGIN TEXT, TEMP, KIND TEXT, IZM INTEGER)")
    [(severity, place, message)] = await findings(legacy, ADAPTER.replace("table: OBS", "table: LOOSE"))
    assert (severity, place) == ("warning", "11:5")
    assert "LOOSE.IZM has no unique index" in message


async def test_rows_that_do_not_fit_are_counted_by_reason(legacy):
    """Of the first hundred; without their values."""
    legacy.observe(*((f"S{number}", "SECRET" if number % 10 == 0 else 1, "1", number) for number in range(150)))
    [(severity, place, message)] = await findings(legacy, ADAPTER)
    assert (severity, place) == ("warning", "14:5")
    assert message == "10 of the first 100 rows do not fit: column TEMP, field temperature: str does not fit"


async def test_rows_without_a_cursor_value_are_doubtful(legacy):
    """They would never be published."""
    legacy.observe(("A", 1, "1", None))
    [(severity, place, message)] = await findings(legacy, ADAPTER)
    assert (severity, place) == ("warning", "11:5")
    assert "rows without a value in IZM" in message


async def test_a_cursor_that_is_not_unique_is_found_in_the_rows(legacy):
    """An error, for it stops the publisher."""
    legacy.run("CREATE TABLE TWICE (ORIGIN TEXT, TEMP, KIND TEXT, IZM INTEGER)")
    legacy.run("INSERT INTO TWICE VALUES ('A', 1, '1', 1), ('B', 1, '1', 1)")
    found = await findings(legacy, ADAPTER.replace("table: OBS", "table: TWICE"))
    assert [severity for severity, _, _ in found] == ["warning", "error"]
    assert "has one value in two rows" in found[1][2]


@pytest.mark.parametrize(
    ("wrong", "place", "words"),
    [
        ({"PINFL: pinfl": "PIN: pinfl", "match: [PINFL]": "match: [PIN]"}, "10:15", "has no column PIN"),
        ({"match: [PINFL]": "match: [REGION]"}, "11:5", "neither a primary key nor a unique index"),
        ({"table: COPY": "table: COPIES"}, "9:5", "there is no table COPIES; did you mean COPY"),
    ],
)
async def test_a_sinks_table_must_fit(legacy, wrong, place, words):
    """Its columns, its key, its name."""
    text = FOLLOWER
    for right, other in wrong.items():
        text = text.replace(right, other)
    severity, where, message = (await findings(legacy, text))[0]
    assert (severity, where) == ("error", place)
    assert words in message


async def test_a_services_table_must_fit(legacy):
    """Errors for what is not there, a warning where an individual may be found twice."""
    legacy.run("CREATE UNIQUE INDEX U ON OBS (ORIGIN)")
    assert await findings(legacy, SERVICE, directory()) == []
    legacy.run("DROP INDEX U")
    [(severity, place, _)] = await findings(legacy, SERVICE)
    assert (severity, place) == ("warning", "8:5")
    wrong = SERVICE.replace("temperature: TEMP", 'temperature: {column: T, format: "%H:%M", zone: UTC}')
    assert [(each[0], each[1]) for each in await findings(legacy, wrong)][:2] == [("error", "10:7"), ("error", "10:7")]
    [(severity, place, _)] = await findings(legacy, SERVICE.replace("table: OBS", "table: NONE"))
    assert (severity, place) == ("error", "7:5")


IN_DIRECTORY = [
    (ADAPTER, {"status": "suspended"}, "2:1", "is suspended"),
    (ADAPTER.replace("hydromet/", "weather/").replace("hydromet.", "weather."), {}, "2:1", "not in the directory"),
    (ADAPTER.replace("observed.v1", "observed.v2"), {}, "8:5", "observed.v2 is not in the directory"),
    (ADAPTER.replace("name: hourly", "name: daily"), {}, "7:5", "not among the publishers"),
    (ADAPTER, {"topic": {"personal": True}}, "12:5", "its key must be a pseudonym"),
    (ADAPTER.replace("    key: [ORIGIN]\n", ""), {"topic": {"compacted": True}}, "7:5", "need a key"),
    (FOLLOWER.replace("changed.v1", "changed.v9"), {}, "8:5", "is not in the directory"),
    (SERVICE.replace("name: station", "name: other"), {}, "5:5", "other is not in the directory"),
    (SERVICE, {"individual_scheme": "uz-pinfl"}, "8:5", "finds individuals by uz-pinfl"),
    (SERVICE, {"fields": ["temperature", "kind", "wind"]}, "9:5", "promises field 'wind'"),
]


@pytest.mark.parametrize(("text", "settings", "place", "words"), IN_DIRECTORY)
async def test_a_file_must_agree_with_the_directory(legacy, text, settings, place, words):
    """Agency, topic, publisher, key, service and fields."""
    found = await findings(legacy, text, directory(**settings))
    assert any(severity == "error" and where == place and words in message for severity, where, message in found), found


async def test_personal_data_without_an_agreement_is_doubtful(legacy):
    """The subscriber would get nothing that it may use."""
    [(severity, place, message)] = await findings(legacy, FOLLOWER, directory(personal=True))
    assert (severity, place) == ("warning", "8:5")
    assert "no agreement" in message


async def test_a_field_that_nobody_can_ask_for_is_doubtful(legacy):
    """The file has it, the directory does not."""
    legacy.run("CREATE UNIQUE INDEX U ON OBS (ORIGIN)")
    [(severity, place, message)] = await findings(legacy, SERVICE, directory(fields=["kind"]))
    assert (severity, place) == ("warning", "10:7")
    assert "nobody can ask for it" in message


async def test_a_database_that_is_not_there_is_a_finding(legacy):
    """Not a failure of the check."""
    file = legacy.adapter()
    legacy.path.unlink()
    [found] = await check_adapter(file, root=legacy.folder)
    assert found.severity == "error"
    assert str(found).startswith(f"{file.path}:4:3: error: ")
    assert "no such file" in found.message


async def test_a_database_that_is_none_is_a_finding(legacy):
    """A file of something else."""
    file = legacy.adapter()
    legacy.path.write_bytes(b"This is a text, not a database." * 100)
    [found] = await check_adapter(file, root=legacy.folder)
    assert (found.severity, found.place) == ("error", f"{file.path}:4:3")


async def test_a_table_changed_under_the_file_is_found(legacy):
    """What is checked is the database as it is now."""
    assert await findings(legacy, ADAPTER) == []
    with closing(sqlite3.connect(legacy.path)) as connection, connection:
        connection.execute("ALTER TABLE OBS RENAME COLUMN TEMP TO TEMPERATURE")
    [(_, place, message)] = await findings(legacy, ADAPTER)
    assert place == "16:7"
    assert "has no column TEMP; columns there are: ORIGIN, TEMPERATURE" in message


async def test_a_missing_adapter_file_is_named_without_a_line(legacy):
    """It was there when it was read."""
    file = legacy.adapter(ADAPTER.replace("cursor: IZM", "cursor: SEQ"))
    file.path.unlink()
    [found] = await check_adapter(file, root=legacy.folder)
    assert found.place == str(file.path)


@pytest.mark.parametrize("path", sorted(Path("adapters").glob("*/*.yaml")), ids=str)
async def test_the_repositorys_schemas_fit_its_adapters(path, tmp_path):
    """Fields, codes and formats of each adapter agree with the schema it names, whatever its database."""
    file = load_adapter(path, {"DATA": str(tmp_path), "TAX_PORT": "9001", "CIVIL_PORT": "9002"})
    sqlite3.connect(tmp_path / Path(file.database.url).name).close()
    found = await check_adapter(file, root=Path())
    assert {each.message.partition(";")[0].partition(" no table ")[0] for each in found} == {"there is"}
