"""Topics as a person reads them."""

import asyncio
import json
from datetime import date

import pytest

from exchange.bus import Publisher
from exchange.clock import SystemClock
from exchange.ids import AgencyId, PublisherId
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient

TOPIC = "gov.statistics.territory.territory-listed.v1"
FILE = "schemas/statistics/territory-listed.v1.avsc"
OWNER = AgencyId.parse("UZ/GOV/statistics/territory")


def territory(number):
    """An event of the statistics committee."""
    return {
        "code": f"17{number:02d}",
        "kind": "REGION",
        "name_uz_latn": f"Viloyat {number}",
        "name_uz_cyrl": f"Вилоят {number}",
        "name_ru": f"Область {number}",
        "listed_on": date(1997, 7, 1),
        "in_force": True,
    }


@pytest.fixture
def published(make_home, kafka):
    """A home whose statistics committee published five territories, each in a transaction of its own."""
    home = make_home(kafka)
    assert home.run("up", "topics").returncode == 0
    home.ready(home.start("registry"), home.url("registry"))
    registered = home.run("schema", "register", FILE, "--topic", TOPIC)
    assert registered.returncode == 0, registered.stderr
    asyncio.run(publish(home, kafka))
    return home


async def publish(home, kafka):
    """Five territories, five transactions."""
    instance, clock = home.instance, SystemClock()
    signer = instance.credentials(OWNER).signer
    async with HttpClient() as http:
        schemas = SchemaCache(RegistryClient(http, home.url("registry"), clock))
        name = PublisherId(OWNER, "classifier")
        async with Publisher(name, kafka, signer, instance.directory, schemas, clock) as publisher:
            await publisher.open(TOPIC, (instance.settings.root / FILE).read_text())
            for number in range(5):
                await publisher.publish(TOPIC, territory(number), key=f"17{number:02d}")


ASKED = [
    (("--limit", "3"), ["1702", "1703", "1704"]),
    (("--limit", "2", "--from", "beginning"), ["1700", "1701"]),
    (("--limit", "50"), ["1700", "1701", "1702", "1703", "1704"]),
    (("--limit", "4", "--from", "beginning", "--follow"), ["1700", "1701", "1702", "1703"]),
]


def test_records_are_shown_decoded_and_verified(published):
    """The last ones or the first, as many as asked for, whatever markers lie between them."""
    for options, keys in ASKED:
        answer = published.run("-o", "json", "topic", "tail", TOPIC, *options)
        assert answer.returncode == 0, answer.stderr
        rows = [json.loads(line) for line in answer.stdout.splitlines()]
        assert [row["key"] for row in rows] == keys
        assert all(row["verified"] for row in rows)
        assert rows[0]["publisher"] == "UZ/GOV/statistics/territory/classifier"


def test_a_topic_that_is_not_there_is_named(make_home, kafka):
    """A mistyped name ends in one line."""
    answer = make_home(kafka).run("topic", "tail", "gov.statistics.territory.nothing.v1")
    assert answer.returncode == 2
    assert "gov.statistics.territory.nothing.v1 does not exist" in answer.stderr
