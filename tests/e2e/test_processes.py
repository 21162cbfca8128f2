"""What ops see of a process: how it starts, what it says when it cannot, and how it ends."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from exchange.clock import format_millis, parse_time
from exchange.ids import AgencyId
from exchange.registry import RegistryClient
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port
from exchange.trust import open_document, sign_directory

ROOT = Path(__file__).parents[2]
KAFKA_PROCESSES = ("registry", "gateway", "audit")
PROCESSES = (*KAFKA_PROCESSES, "console")


def last_line(text):
    """The last line of what a process printed."""
    return text.strip().rpartition("\n")[2]


@pytest.mark.parametrize("name", KAFKA_PROCESSES)
def test_without_kafka_a_process_says_so_and_ends(make_home, name):
    """Kafka not reachable at start: one line with the address and the remedy, exit 5, nothing half-started."""
    bootstrap = f"127.0.0.1:{free_port()}"
    ended = make_home(bootstrap).run(name)
    assert ended.returncode == 5
    assert last_line(ended.stderr).startswith(f"error: Kafka does not answer at {bootstrap}")
    assert "exchange up" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_ends_in_order_on_sigterm(make_home, kafka, name):
    """Started, ready, told to stop: it drains and exits with 0 within ten seconds."""
    home = make_home(kafka)
    child = home.start(name)
    home.ready(child, home.url(name))
    code, err = home.stop(child)
    assert (code, "Traceback" in err) == (0, False), err


@pytest.mark.parametrize("name", ["gateway", "audit"])
def test_an_expired_directory_stops_a_process(make_home, kafka, name):
    """Past the directory's expiry nothing starts, and the message says what the operators do."""
    home = make_home(kafka)
    expire(home)
    ended = home.run(name)
    assert ended.returncode == 3
    assert "expired at" in last_line(ended.stderr)
    assert "exchange directory sign" in last_line(ended.stderr)


@pytest.mark.parametrize("name", ["gateway", "audit"])
def test_an_altered_directory_stops_a_process(make_home, kafka, name):
    """A directory that the operators did not sign is not followed."""
    home = make_home(kafka)
    path = home.path / "directory.json"
    path.write_bytes(path.read_bytes().replace(b'"payload":"ey', b'"payload":"eX'))
    ended = home.run(name)
    assert ended.returncode == 3
    assert "directory.json" in last_line(ended.stderr)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_wrong_setting_stops_a_process(make_home, kafka, name):
    """The name of the setting, its value, what would be right; exit 2."""
    ended = make_home(kafka).run(name, EXCHANGE_CONSOLE_REFRESH_SECONDS="soon")
    assert ended.returncode == 2
    assert "EXCHANGE_CONSOLE_REFRESH_SECONDS = 'soon'" in ended.stderr


@pytest.mark.parametrize("name", PROCESSES)
def test_a_taken_port_stops_a_process(make_home, kafka, name):
    """Two processes cannot have one address: the second says which it is."""
    home = make_home(kafka)
    first = home.start("console")
    home.ready(first, home.url("console"))
    taken = home.instance.settings.console.listen
    ended = home.run(name, **{f"EXCHANGE_{name.upper()}_LISTEN": taken})
    assert ended.returncode == 2
    assert f"cannot listen at {taken}" in last_line(ended.stderr)


def test_a_second_registry_follows_the_first_and_takes_over_when_it_dies(make_home, kafka):
    """What was registered at one is read at the other; killed, the one that writes is succeeded by it at once."""
    home = make_home(kafka)
    first = home.start("registry")
    home.ready(first, home.url("registry"))
    listen = f"127.0.0.1:{free_port()}"
    second = home.start("registry", EXCHANGE_REGISTRY_LISTEN=listen)
    home.ready(second, f"http://{listen}")
    topic, file = "gov.interior.civil.residence-changed.v1", "schemas/interior/residence-changed.v1.avsc"
    registered = home.run("-o", "json", "schema", "register", file, "--topic", topic)
    assert registered.returncode == 0, registered.stderr
    first.kill()
    first.communicate()
    text = (ROOT / file).read_text(encoding="utf-8")
    again, level = asyncio.run(_written_at(home, f"http://{listen}", f"{topic}-value", text))
    assert (again, level) == (json.loads(registered.stdout)["id"], "FULL")
    assert home.stop(second)[0] == 0


async def _written_at(home, url, subject, text):
    """The id of a schema registered once more at one replica, and the level that was set there."""
    instance = home.instance
    async with HttpClient(timeout=20.0) as http:
        owner = instance.credentials(AgencyId.parse("UZ/GOV/interior/civil"))
        client = RegistryClient(http, url, instance.clock, owner)
        await client.set_level(subject, "FULL")
        found = (await client.register(subject, text)).id, await client.level(subject)
        await client.set_level(subject, "BACKWARD")  # as it is for the tests that share this Kafka
        return found


def test_a_registry_that_is_away_is_named(make_home, kafka):
    """Registering with no registry running says where it should be and how to start it."""
    home = make_home(kafka)
    ended = home.run(
        *("schema", "register", "schemas/interior/residence-changed.v1.avsc"),
        *("--topic", "gov.interior.civil.residence-changed.v1"),
    )
    assert ended.returncode == 5
    assert home.url("registry") in ended.stderr
    assert "exchange registry" in ended.stderr


def expire(home):
    """Have the operators' keys sign the same directory with an expiry in the past."""
    instance = home.instance
    path = home.path / "directory.json"
    content = msgspec.json.decode(open_document("directory", path.read_bytes(), instance.operators.keys, 2))
    content["expires"] = format_millis(parse_time("2020-01-01T00:00:00Z"))
    path.write_bytes(sign_directory(content, dict(list(instance.operator_keys().items())[:2])))
