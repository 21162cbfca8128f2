"""Evidence as a person takes it out of a topic, and as another verifies it elsewhere."""

import asyncio
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchange.bus import Publisher
from exchange.clock import SystemClock
from exchange.ids import AgencyId, PublisherId
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient
from exchange.transport.kafka import IdempotentProducer, Outgoing
from tests.fakes.home import ROOT, Home
from tests.fakes.unreadable_record import write_unreadable

MEMBERS = """\
instance: UZ
operators: [op-1, op-2, op-3]
threshold: 2
registry_url: ${{REGISTRY_URL}}
audit_log: {{origin: uz/audit, url: "${{AUDIT_URL}}"}}
gateways: []
members:
  - id: UZ/GOV/{member}
    name: Cadastre agency
    subsystems:
      - name: parcels
        topics: [{{name: {topic}, publishers: [land-book]}}]
"""
SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "uz.cadastre.ParcelListed",
        "doc": "A parcel is in the land book.",
        "fields": [
            {"name": "parcel", "type": "string", "doc": "Number."},
            {
                "name": "area",
                "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
                "doc": "m².",
            },
        ],
    }
)


@pytest.fixture(scope="module")
def home(tmp_path_factory, kafka):
    """An instance whose cadastre published four parcels, each in a transaction of its own: at offsets 0, 2, 4 and 6."""
    folder, member = tmp_path_factory.mktemp("evidence"), f"cadastre-{uuid.uuid4().hex[:8]}"
    home = Home(folder / "home", {"EXCHANGE_KAFKA_BOOTSTRAP": kafka})
    home.topic = f"gov.{member}.parcels.parcel-listed.v1"
    (folder / "members.yaml").write_text(MEMBERS.format(member=member, topic=home.topic))
    (folder / "schema.avsc").write_text(SCHEMA)
    for command in (
        ("init", str(folder / "members.yaml"), "--free-ports"),
        ("up", "topics"),
    ):
        answer = home.run(*command)
        assert answer.returncode == 0, answer.stderr
    registry = home.start("registry")
    home.ready(registry, home.url("registry"))
    answer = home.run("schema", "register", str(folder / "schema.avsc"), "--topic", home.topic)
    assert answer.returncode == 0, answer.stderr
    asyncio.run(publish(home, kafka, AgencyId.parse(f"UZ/GOV/{member}/parcels")))
    yield home
    for child in home.children:
        if child.poll() is None:
            child.kill()
        child.communicate()


async def publish(home, kafka, agency):
    """Three parcels and a tombstone, four transactions."""
    instance, clock = home.instance, SystemClock()
    signer = instance.credentials(agency).signer
    async with HttpClient() as http:
        schemas = SchemaCache(RegistryClient(http, home.url("registry"), clock))
        name = PublisherId(agency, "land-book")
        async with Publisher(name, kafka, signer, instance.directory, schemas, clock) as publisher:
            await publisher.open(home.topic, SCHEMA)
            for number, data in enumerate([parcel(0), parcel(1), parcel(2), None]):
                await publisher.publish(home.topic, data, key=f"10:0{number}")


def parcel(number):
    """An event of the cadastre."""
    return {"parcel": f"10:0{number}", "area": Decimal("612.50")}


def export(home, file, offset=4):
    """Take the event at an offset out; the row that the command prints."""
    asked = ("evidence", "export", home.topic, "--partition", "0", "--offset", str(offset), "-o", str(file))
    answer = home.run("-o", "json", *asked)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def elsewhere(folder, *arguments):
    """`exchange …` in an empty folder: no home, no setting, and nobody to ask."""
    (folder / "elsewhere").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "exchange.cli", *arguments]
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder / "elsewhere", env=environment, capture_output=True, text=True)


def test_an_event_is_proven_elsewhere(home, tmp_path):
    """The file and the operators' keys tell who published what and when."""
    file, operators = tmp_path / "event.json", str(home.path / "operators.json")
    told = export(home, file)
    assert (told["entity"], told["bytes"]) == ("10:02", file.stat().st_size)
    answer = elsewhere(tmp_path, "-o", "json", "verify", "evidence", str(file), str(file), "--operators", operators)
    assert answer.returncode == 0, answer.stderr
    row, again = map(json.loads, answer.stdout.splitlines())
    assert row == again
    assert (row["verified"], row["name"], row["publisher"][-9:]) == (True, "Cadastre agency", "land-book")
    assert row["data"] == {"parcel": "10:02", "area": "612.50"}
    assert (row["told_offset"], row["sequence"], row["entity"]) == (4, 2, "10:02")
    assert row["sealed"][:10] == datetime.now(UTC).date().isoformat()
    at_home = home.run("verify", "evidence", str(file))
    assert (at_home.returncode, "verified=true" in at_home.stdout) == (0, True)


def test_a_tombstone_is_proven_elsewhere(home, tmp_path):
    """That an entity's event was taken back is an event, too."""
    export(home, tmp_path / "gone.json", 6)
    operators = str(home.path / "operators.json")
    answer = elsewhere(tmp_path, "verify", "evidence", str(tmp_path / "gone.json"), "--operators", operators)
    assert (answer.returncode, "entity=10:03" in answer.stdout, "data=-" in answer.stdout) == (0, True, True)


def test_what_does_not_hold_is_named(home, tmp_path):
    """A changed event ends with 3 and its step, a proof that is none with 9, a home without operators with 2."""
    file, changed = tmp_path / "event.json", tmp_path / "changed.json"
    export(home, file)
    for old, new, code, words in (
        (b'"key":"10:02"', b'"key":"10:01"', 3, "step 7"),
        (b"index 0", b"index 00", 9, "proof_invalid"),
        (b'"type":"exchange', b'"type": "exchange', 3, "document_invalid"),
        (b'"member":"Cadastre', b'"member":"Interior', 3, "says member"),
    ):
        changed.write_bytes(file.read_bytes().replace(old, new))
        operators = ("--operators", str(home.path / "operators.json"))
        answer = elsewhere(tmp_path, "verify", "evidence", str(file), str(changed), *operators)
        assert (answer.returncode, words in answer.stderr, str(changed) in answer.stderr) == (code, True, True)
        assert (answer.stderr.count("\n"), answer.stdout.count("\n")) == (1, 1)
    stranger = elsewhere(tmp_path, "verify", "evidence", str(file))
    assert (stranger.returncode, "operators.json" in stranger.stderr) == (2, True)


def test_what_is_not_there_is_not_exported(home, tmp_path):
    """A mark of a transaction, an offset beyond the end, a partition or a topic that is not: each is named."""
    file = tmp_path / "event.json"
    for arguments, words in (
        ((home.topic, "--offset", "5"), "no record at offset 5"),
        ((home.topic, "--offset", "4000"), "no record at offset 4000"),
        ((home.topic, "--partition", "9", "--offset", "0"), "no partition 9"),
        (("gov.statistics.territory.nothing.v1", "--offset", "0"), "not in the directory"),
        (("_exchange.positions", "--offset", "0"), "not in the directory"),
    ):
        answer = home.run("evidence", "export", *arguments, "-o", str(file))
        assert (answer.returncode, words in answer.stderr, file.exists()) == (2, True, False), answer.stderr


def test_what_nobody_sealed_is_no_evidence(home, tmp_path):
    """A forged record and one that no client can read are refused with 3, and no file is there."""
    kafka, file = home.environment["EXCHANGE_KAFKA_BOOTSTRAP"], tmp_path / "event.json"
    asyncio.run(write_unreadable(kafka, home.topic))
    asyncio.run(forge(kafka, home.topic))
    for offset, words in (("8", "not UTF-8"), ("9", "exchange-seal")):
        answer = home.run("evidence", "export", home.topic, "--offset", offset, "-o", str(file))
        assert (answer.returncode, words in answer.stderr, file.exists()) == (3, True, False), answer.stderr
        assert "seal_malformed" in answer.stderr


async def forge(kafka, topic):
    """Write past the exchange."""
    async with IdempotentProducer(kafka) as producer:
        await producer.write([Outgoing(topic, 0, b"10:09", b"forged", [("ce_source", b"/UZ/GOV/nobody")])])


def test_evidence_goes_to_a_pipe(home, tmp_path):
    """Without a file it is written to stdout, the same bytes."""
    export(home, tmp_path / "event.json")
    answer = home.run("evidence", "export", home.topic, "--offset", "4")
    assert answer.stdout.encode() == (tmp_path / "event.json").read_bytes()
