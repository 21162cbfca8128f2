"""Topics as a person writes, reads, counts and verifies them, against a real Kafka and registry."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from exchange.cli.app import exchange
from exchange.cli.instance import Instance
from exchange.envelope import SEAL_HEADER, Sealer, Unsealed, parse_seal, parse_statement
from exchange.ids import AgencyId, PublisherId
from exchange.transport.kafka import IdempotentProducer, Outgoing, PartitionConsumer
from tests.fakes.home import MEMBERS, Home

SCHEMA = {
    "type": "record",
    "name": "ParcelListed",
    "fields": [
        {"name": "number", "type": "string"},
        {"name": "value", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
        {"name": "valued_on", "type": {"type": "int", "logicalType": "date"}},
        {"name": "plan", "type": ["null", "bytes"], "default": None},
    ],
}
MEMBER = """
  - id: UZ/GOV/{name}
    name: Cadastre
    subsystems:
      - name: parcels
        topics:
"""
TOPIC = """
          - name: gov.{name}.parcels.{topic}.v1
            publishers: [land-book, second]
            partitions: {partitions}
            compacted: {compacted}
            personal: {personal}
"""
TOPICS = ("listed", "many", "people", "wrong", "forged", "gone", "read", "counted", "large", "resumed", "quiet")


@dataclass(frozen=True)
class Cadastre:
    """An instance whose names are its own: its home, and the agency that publishes."""

    home: Home
    name: str

    @property
    def agency(self):
        """The agency."""
        return AgencyId.parse(f"UZ/GOV/{self.name}/parcels")

    def topic(self, name):
        """A topic's full name."""
        return f"gov.{self.name}.parcels.{name}.v1"

    def call(self, *arguments, stdin=None, output="json"):
        """A command in this process: its exit code, its data and what it says beside them."""
        before = dict(os.environ)
        os.environ.update(self.home.environment)
        try:
            command = ["--home", str(self.home.path), "-o", output, "topic", *map(str, arguments)]
            return CliRunner().invoke(exchange, command, input=stdin, catch_exceptions=False)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def produce(self, topic, lines, *options, publisher="land-book"):
        """Publish lines, by number where they have one."""
        text = lines if isinstance(lines, str) else "".join(f"{json.dumps(each)}\n" for each in lines)
        agency = ("--agency", self.agency, "--publisher", publisher)
        return self.call("produce", self.topic(topic), *agency, *options, stdin=text)

    def rows(self, *arguments):
        """What `head` or `tail` prints."""
        answer = self.call(*arguments)
        assert answer.exit_code == 0, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def verify(self, topic):
        """Exit code and report."""
        answer = self.call("verify", self.topic(topic))
        return answer.exit_code, json.loads(answer.stdout)


@pytest.fixture(scope="module")
def cadastre(kafka, tmp_path_factory):
    """An instance with a topic for each test, its registry running, its schema registered."""
    folder = tmp_path_factory.mktemp("cadastre")
    name = f"cadastre-{os.urandom(4).hex()}"
    topics = "".join(
        TOPIC.format(name=name, topic=each, partitions=2 if each in ("many", "read") else 1,
                     compacted=str(each == "gone").lower(), personal=str(each == "people").lower())
        for each in TOPICS
    )  # fmt: skip
    members = folder / "members.yaml"
    demo = MEMBERS.read_text()
    members.write_text(demo + MEMBER.format(name=name) + topics.replace("\n\n", "\n"))
    home = Home(folder / "home", {"EXCHANGE_KAFKA_BOOTSTRAP": kafka})
    made = home.run("init", str(members), "--free-ports", "--data", str(folder))
    assert made.returncode == 0, made.stderr
    assert home.run("up", "topics").returncode == 0
    home.ready(home.start("registry"), home.url("registry"))
    file = folder / "parcel-listed.v1.avsc"
    file.write_text(json.dumps(SCHEMA))
    for each in TOPICS:
        registered = home.run("schema", "register", str(file), "--topic", f"gov.{name}.parcels.{each}.v1")
        assert registered.returncode == 0, registered.stderr
    yield Cadastre(home, name)
    for child in home.children:
        if child.poll() is None:
            child.kill()
        child.communicate()


def parcel(number, **changes):
    """A line of a file."""
    return {"number": f"10:{number:02d}", "value": "12.50", "valued_on": "2026-01-01", **changes}


def events(topic, cadastre):
    """The data of every event of a topic."""
    return [row["data"] for row in cadastre.rows("head", cadastre.topic(topic), "--limit", "1000")]


def test_lines_become_verified_events(cadastre):
    """Each line is an event with its key; the report says where they are, and they are typed and sealed."""
    lines = [parcel(number, plan="AP8=") for number in range(5)]
    answer = cadastre.produce("listed", lines, "--key-field", "number")
    assert answer.exit_code == 0, answer.stderr
    report = json.loads(answer.stdout)
    (part,) = report["partitions"]
    assert (report["published"], report["before"], report["skipped"], part["events"]) == (5, 0, [], 5)
    rows = cadastre.rows("head", cadastre.topic("listed"))
    assert [row["key"] for row in rows] == [f"10:{number:02d}" for number in range(5)]
    assert [row["offset"] for row in rows] == list(range(part["first_offset"], part["last_offset"] + 1))
    assert all(row["verified"] and row["publisher"] == f"{cadastre.agency}/land-book" for row in rows)
    assert rows[0]["data"] == parcel(0, plan="AP8=")
    assert cadastre.verify("listed")[0] == 0


def test_what_tail_prints_can_be_produced(cadastre):
    """Rows go back in as they came out, tombstones among them; a person reads the answer in a sentence."""
    cadastre.produce("many", [parcel(number) for number in range(4)], "--key-field", "number")
    printed = cadastre.call("tail", cadastre.topic("many")).stdout
    rows = printed + json.dumps({"key": "10:00", "data": None}) + "\n"
    answer = cadastre.produce("many", rows, "--rows", publisher="second")
    assert json.loads(answer.stdout)["published"] == 5
    code, report = cadastre.verify("many")
    assert code == 0
    assert (report["records"], report["tombstones"]) == (9, 1)
    by_publisher = {each["publisher"].rpartition("/")[2] for each in report["publishers"]}
    assert by_publisher == {"land-book", "second"}
    told = cadastre.call("verify", cadastre.topic("many"), output="text").stdout
    assert f"{cadastre.topic('many')}: every record verifies" in told
    assert "9 records (1 tombstones)" in told


def test_one_bad_line_keeps_all_back(cadastre):
    """Every bad line is told with its number, nothing is published; with --skip-bad the others are."""
    lines = [parcel(0), parcel(1, value="dear"), "no object", parcel(3)]
    answer = cadastre.produce("wrong", lines)
    assert answer.exit_code == 4
    assert "line 2: /value: expected decimal number" in answer.stderr
    assert "line 3: /: expected record ParcelListed, got text" in answer.stderr
    assert "2 lines are no events" in answer.stderr
    assert "dear" not in answer.stderr
    assert events("wrong", cadastre) == []
    answer = cadastre.produce("wrong", lines, "--skip-bad")
    report = json.loads(answer.stdout)
    assert report["published"] == 2
    assert [each["line"] for each in report["skipped"]] == [2, 3]
    assert [each["number"] for each in events("wrong", cadastre)] == ["10:00", "10:03"]


def test_a_line_too_large_for_the_topic_keeps_all_back(cadastre):
    """What does not fit is found before anything is published."""
    answer = cadastre.produce("large", [parcel(0), parcel(1, plan="A" * 12_000_000)])
    assert answer.exit_code == 4
    assert "line 2: " in answer.stderr
    assert events("large", cadastre) == []


def test_a_file_is_published_once(cadastre):
    """Given again by mistake nothing happens; --again means it; another file is another."""
    lines = [parcel(number) for number in range(3)]
    assert json.loads(cadastre.produce("resumed", lines).stdout)["published"] == 3
    second = json.loads(cadastre.produce("resumed", lines).stdout)
    assert (second["published"], second["before"]) == (0, 3)
    assert json.loads(cadastre.produce("resumed", lines, "--again").stdout)["published"] == 3
    assert json.loads(cadastre.produce("resumed", [parcel(9)]).stdout)["published"] == 1
    assert len(events("resumed", cadastre)) == 7


def test_keys_about_people_are_pseudonyms(cadastre):
    """A topic about people takes no identifier as its key, and no event without a pseudonym."""
    answer = cadastre.produce("people", [parcel(0)], "--key-field", "number")
    assert answer.exit_code == 2
    assert "its keys are pseudonyms; give --key-field and --key-scheme" in answer.stderr
    answer = cadastre.produce("people", [parcel(0)], "--key-field", "number", "--key-scheme", "uz-cadastre")
    assert answer.exit_code == 0, answer.stderr
    (row,) = cadastre.rows("head", cadastre.topic("people"))
    assert len(row["key"]) == 26
    assert cadastre.rows("head", cadastre.topic("people"), "--key", row["key"]) == [row]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rows", "--key-field", "number"), "--rows have their keys"),
        (("--key-scheme", "uz-cadastre"), "give both"),
    ],
)
def test_options_that_contradict_are_refused(cadastre, options, message):
    """Before anything is asked of Kafka."""
    answer = cadastre.produce("quiet", [], *options)
    assert answer.exit_code == 2
    assert message in answer.stderr


def test_only_the_owner_publishes(cadastre):
    """A topic that the directory does not have, and a publisher that it does not name."""
    answer = cadastre.produce("nowhere", [parcel(0)])
    assert "is not in the directory" in answer.stderr
    answer = cadastre.produce("quiet", [parcel(0)], publisher="stranger")
    assert "is not among the publishers" in answer.stderr
    assert events("quiet", cadastre) == []


def test_head_and_tail_find_their_places(cadastre):
    """By offset, time, key and partition; whatever markers lie between the records."""
    topic = cadastre.topic("read")
    for number in range(6):
        cadastre.produce("read", [parcel(number)], "--key-field", "number")
    rows = cadastre.rows("head", topic)
    assert len(rows) == 6
    keys = {row["key"]: row for row in rows}
    one = keys["10:03"]
    assert cadastre.rows("tail", topic, "--key", "10:03") == [one]
    assert cadastre.rows("head", topic, "--key", "none") == []
    own = [row for row in rows if row["partition"] == one["partition"]]
    number = str(one["partition"])
    assert cadastre.rows("tail", topic, "--partition", number, "--limit", "1") == own[-1:]
    assert cadastre.rows("head", topic, "--partition", number, "--limit", "1") == own[:1]
    after = [row for row in own if row["offset"] >= one["offset"]]
    assert cadastre.rows("head", topic, "--partition", number, "--from", one["offset"]) == after
    since = [row for row in rows if row["broker_time"] >= one["broker_time"]]
    assert cadastre.rows("tail", topic, "--from", one["broker_time"]) == since
    assert cadastre.rows("tail", topic, "--from", "1h") == rows
    followed = cadastre.rows("tail", topic, "--from", "beginning", "--follow", "--limit", "6")
    assert sorted(row["key"] for row in followed) == sorted(keys)


def test_a_place_that_is_none_is_explained(cadastre):
    """A usage error with what would be right, and a partition that is not there."""
    answer = cadastre.call("head", cadastre.topic("quiet"), "--from", "yesterday")
    assert answer.exit_code == 2
    assert "a time with its zone" in answer.stderr
    answer = cadastre.call("head", cadastre.topic("quiet"), "--partition", "7")
    assert "has partitions 0 to 0, no 7" in answer.stderr
    answer = cadastre.call("tail", "gov.statistics.territory.nothing.v1")
    assert answer.exit_code == 2
    assert "gov.statistics.territory.nothing.v1 does not exist" in answer.stderr


def test_count_says_how_much_of_whom(cadastre):
    """By partition and publisher, tombstones apart; records that nobody sealed are nobody's."""
    topic = cadastre.topic("counted")
    cadastre.produce("counted", [parcel(number) for number in range(3)], "--key-field", "number")
    cadastre.produce("counted", [{"key": "10:00", "data": None}], "--rows", publisher="second")
    asyncio.run(write(cadastre, [Outgoing(topic, 0, b"k", b"unsealed", [])]))
    answer = json.loads(cadastre.call("count", topic).stdout)
    assert (answer["records"], answer["tombstones"], answer["unreadable"]) == (5, 1, 0)
    found = {
        (each["publisher"] or "").rpartition("/")[2]: (each["records"], each["tombstones"]) for each in answer["parts"]
    }
    assert found == {"": (1, 0), "land-book": (3, 0), "second": (1, 1)}
    assert f"{topic}: 5 records, 1 of them tombstones" in cadastre.call("count", topic, output="text").stdout
    assert json.loads(cadastre.call("count", cadastre.topic("quiet")).stdout)["records"] == 0


def test_verify_finds_everything_that_is_wrong(cadastre):
    """A record that nobody sealed, one changed, one again, one with another's number, and numbers left out."""
    topic = cadastre.topic("forged")
    cadastre.produce("forged", [parcel(number) for number in range(4)], "--key-field", "number")
    first, *_ = asyncio.run(records(cadastre, topic))
    copy = Outgoing(topic, 0, first.key, first.value, list(first.headers))
    wrong = [
        replace_value(copy, b"unsealed", []),  # 1: no seal
        replace_value(copy, first.value + b"x", copy.headers),  # 7: not what was sealed
        copy,  # 9: a replay
        resealed(cadastre, copy, sequence=1),  # 9: a fork
        resealed(cadastre, copy, sequence=9),  # 9: a gap of 4 to 8
    ]
    asyncio.run(write(cadastre, wrong))
    code, report = cadastre.verify("forged")
    assert code == 3
    assert report["good"] is False
    assert (report["records"], report["verified"], report["refused"]) == (9, 7, 2)
    assert [(each["step"], each["records"]) for each in report["refused_by_step"]] == [(1, 1), (7, 1)]
    assert (report["replays"], report["forks"], report["gaps"], report["missing"]) == (1, 1, 1, 5)
    assert [each["code"] for each in report["problems"]] == [
        "seal_malformed", "inclusion_invalid", "sequence_replay", "sequence_fork", "sequence_gap",
    ]  # fmt: skip
    (publisher,) = report["publishers"]
    assert (publisher["records"], publisher["first"], publisher["last"]) == (7, 0, 9)
    (key,) = report["keys"]
    assert (key["keyid"], key["records"]) == (Instance(cadastre.home.path).credentials(cadastre.agency).keyid, 7)
    told = cadastre.call("verify", topic, output="text").stdout
    assert "NOT everything verifies" in told
    assert "is another record than the one before with that number" in told


def test_a_flush_that_was_sealed_twice_is_found(cadastre):
    """Two statements of one flush: somebody else has the key, or a writer's place was lost."""
    topic = cadastre.topic("listed")
    cadastre.produce("listed", [parcel(0)], "--again")
    *_, last = asyncio.run(records(cadastre, topic))
    sequence = int(dict(last.headers)["ce_sequence"])
    flush = parse_statement(parse_seal(last.headers[-1][1])[2]).flush
    copy = Outgoing(topic, 0, last.key, last.value, list(last.headers))
    asyncio.run(write(cadastre, [resealed(cadastre, copy, sequence=sequence + 1, flush=flush)]))
    code, report = cadastre.verify("listed")
    assert code == 3
    assert report["resealed"] == 1
    assert "flush_sealed_twice" in {each["code"] for each in report["problems"]}


def test_gaps_are_natural_on_a_compacted_topic(cadastre):
    """They are counted, and nothing is wrong."""
    topic = cadastre.topic("gone")
    cadastre.produce("gone", [parcel(0)], "--key-field", "number")
    (first,) = asyncio.run(records(cadastre, topic))
    copy = Outgoing(topic, 0, first.key, first.value, list(first.headers))
    asyncio.run(write(cadastre, [resealed(cadastre, copy, sequence=5)]))
    code, report = cadastre.verify("gone")
    assert code == 0
    assert (report["gaps"], report["missing"], report["problems"]) == (1, 4, [])


def test_a_topic_of_our_own_is_verified_without_sequences(cadastre):
    """Positions are sealed records that nobody numbers."""
    answer = cadastre.call("verify", "_exchange.positions")
    report = json.loads(answer.stdout)
    assert report["verified"] > 0
    assert (report["gaps"], report["forks"]) == (0, 0)


def test_a_produce_that_is_killed_goes_on_where_it_was(cadastre, tmp_path):
    """Killed in the middle and started again with the same file: each line is there once."""
    file = tmp_path / "parcels.jsonl"
    file.write_text("".join(json.dumps(parcel(number % 90)) + "\n" for number in range(30_000)))
    arguments = ["topic", "produce", cadastre.topic("quiet"), str(file), "--agency", str(cadastre.agency)]
    command = [sys.executable, "-m", "exchange.cli", "--home", str(cadastre.home.path), "-o", "json", *arguments]
    environment = {**os.environ, **cadastre.home.environment}
    child = subprocess.Popen([*command, "--publisher", "land-book"], env=environment, stdout=subprocess.PIPE)
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while child.poll() is None and datetime.now(UTC) < deadline:
        if json.loads(cadastre.call("count", cadastre.topic("quiet")).stdout)["records"]:
            child.kill()
            break
    child.communicate()
    again = subprocess.run([*command, "--publisher", "land-book"], env=environment, capture_output=True, check=True)
    report = json.loads(again.stdout)
    assert report["published"] + report["before"] == 30_000
    code, verified = cadastre.verify("quiet")
    assert (code, verified["records"], verified["gaps"], verified["replays"]) == (0, 30_000, 0, 0)


def replace_value(record, value, headers):
    """The record with another value."""
    return record._replace(value=value, headers=list(headers))


def resealed(cadastre, record, *, sequence, flush=None):
    """The record with another number, in its own epoch, sealed with the agency's key: what only its owner can do."""
    statement = parse_statement(parse_seal(record.headers[-1][1])[2])
    headers = [
        (name, f"{sequence:020d}".encode() if name == "ce_sequence" else value) for name, value in record.headers
    ]
    unsealed = Unsealed(record.topic, record.partition, record.key, record.value, headers[:-1])
    signer = Instance(cadastre.home.path).credentials(cadastre.agency).signer.current()
    sealer = Sealer(PublisherId(cadastre.agency, "land-book"), signer)
    (seal,) = sealer.seal([unsealed], epoch=statement.epoch, flush=flush or 1_000 + sequence, time=datetime.now(UTC))
    return record._replace(headers=[*headers[:-1], (SEAL_HEADER, seal)])


async def write(cadastre, outgoing):
    """Write straight to Kafka, past the exchange."""
    async with IdempotentProducer(cadastre.home.environment["EXCHANGE_KAFKA_BOOTSTRAP"]) as producer:
        for each in outgoing:
            await producer.write([each])


async def records(cadastre, topic):
    """Every record of a topic's only partition, as it lies there."""
    async with PartitionConsumer(cadastre.home.environment["EXCHANGE_KAFKA_BOOTSTRAP"]) as consumer:
        (place,) = await consumer.partitions(topic)
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        found = []
        while await consumer.position(place) < end:
            for polled in await consumer.poll(seconds=0.5, limit=1_000):
                found += polled.records
        return found
