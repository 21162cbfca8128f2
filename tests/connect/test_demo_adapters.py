"""The demo's adapters on the demo's databases: every row of every table, and the lookups, without a Kafka."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.demo.load import Sizes, load_all
from exchange.avro import Schema
from exchange.connect import AdapterRuntime, check_adapter, load_adapter
from exchange.connect.database import Database
from exchange.connect.provider import LookupTable
from exchange.ids import Identifier
from tests.connect.world import PEPPER, context
from tests.fakes.adapter_bus import MemoryBus

VARIABLES = {"TAX_PORT": "9001", "CIVIL_PORT": "9002"}
FILES = sorted(Path("adapters").glob("*/*.yaml"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Small databases of every agency."""
    folder = tmp_path_factory.mktemp("data")
    load_all(folder, sizes=Sizes(flights=300, observations=300, residents=60))
    return folder


def load(path, data):
    """An adapter of the demo on those databases."""
    return load_adapter(path, {**VARIABLES, "DATA": str(data)})


def rows_of(file, table):
    """How many rows a table has."""
    with closing(sqlite3.connect(file.database.url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


@pytest.mark.parametrize("path", FILES, ids=str)
async def test_the_check_finds_nothing(path, data):
    """Tables, columns, schemas and the first rows fit."""
    assert await check_adapter(load(path, data), root=Path(), pepper=PEPPER) == []


@pytest.mark.parametrize("path", [each for each in FILES if "publishers:" in each.read_text()], ids=str)
async def test_every_row_is_published(path, data):
    """No row is refused; each has a key, and the schema reads it back."""
    file, bus = load(path, data), MemoryBus()
    for each in file.publishers:
        bus.register(each.topic, each.schema_.read_text())
    published = await AdapterRuntime(file, root=Path(), context=context(), bus=bus).run_once()
    assert published == {each.name: rows_of(file, each.table) for each in file.publishers}
    assert bus.letters == []
    for each in file.publishers:
        events = bus.topics[each.topic]
        assert all(event.key for event in events)
        assert {type(Schema.parse(each.schema_.read_text()).encode(event.data)) for event in events} == {bytes}


@pytest.mark.parametrize("path", [each for each in FILES if "services:" in each.read_text()], ids=str)
async def test_everybody_can_be_looked_up(path, data):
    """Every field of every individual of the register, as plain JSON."""
    file = load(path, data)
    [service] = file.services
    database = Database(file.database.url, read_only=True)
    table = LookupTable(database, file.agency_id, service, PEPPER)
    await table.open()
    column = service.individual.column
    query = text(f"SELECT {column} FROM {service.table} LIMIT 60")
    for number in await database.run(lambda connection: connection.execute(query).scalars().all()):
        found = await table.find(Identifier(service.individual.scheme, str(number)), table.fields)
        assert set(found) == set(service.fields)
        assert {type(value) for value in found.values()} <= {str, int, float, type(None)}
    await database.close()


async def test_a_residents_key_is_a_pseudonym(data):
    """No key of the civil register's topic holds a number of a person."""
    file, bus = load(Path("adapters/interior/civil.yaml"), data), MemoryBus()
    [publication] = file.publishers
    bus.register(publication.topic, publication.schema_.read_text())
    await AdapterRuntime(file, root=Path(), context=context(), bus=bus).run_once()
    for event in bus.topics[publication.topic]:
        assert event.key == Identifier("uz-pinfl", event.data["pinfl"]).pseudonym(PEPPER)
