"""Registries as processes: started, killed, stopped and gone on with; and clients that register without pause."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from exchange.clock import SystemClock
from exchange.errors import PeerUnreachable
from exchange.transport.http import HttpClient
from exchange.transport.kafka import TableReader
from exchange.transport.web import free_port
from tests.registry.conftest import schema

PROGRAM = Path(__file__).with_name("registry_process.py")
NOOP = msgspec.json.encode({"keytype": "NOOP", "magic": 0})
RETRIABLE = {50001, 50002, 50003, 50004}
MEDIA = {"content-type": "application/vnd.schemaregistry.v1+json"}


class Member:
    """One replica: where it listens, as what others know it, and its process while it has one."""

    def __init__(self, reachable):
        self.listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.listen}" if reachable else f"http://127.0.0.1:1/{self.listen}"
        self.pid = None


class Cluster:
    """Replicas over one topic, each a process that can be killed, stopped and started again."""

    def __init__(self, bootstrap, topic, http, program, size, reachable):
        self.bootstrap, self.topic, self.http = bootstrap, topic, http
        self.members = [Member(reachable) for _ in range(size)]
        self.announced = None
        self._program = program

    async def start(self, member, wait=True):
        """Fork its process, and return once it answers."""
        self._program.stdin.write(f"{member.listen} {member.url}\n".encode())
        member.pid = int(await self._program.stdout.readline())
        while wait:
            with suppress(PeerUnreachable):
                await self.http.send("GET", f"http://{member.listen}/subjects")
                return
            await asyncio.sleep(0.01)

    def kill(self, member):
        """SIGKILL."""
        os.kill(member.pid, signal.SIGKILL)

    def stop(self, member):
        """SIGSTOP: it holds its connections and does nothing."""
        os.kill(member.pid, signal.SIGSTOP)

    def go_on(self, member):
        """SIGCONT."""
        os.kill(member.pid, signal.SIGCONT)

    @property
    def leader(self):
        """The member that the topic announces."""
        return next((member for member in self.members if member.url == self.announced), None)

    @property
    def followers(self):
        """The others."""
        return [member for member in self.members if member is not self.leader]

    async def next_leader(self, last):
        """Another than `last`, once it is announced."""
        while self.leader in (None, last):
            await asyncio.sleep(0.01)
        return self.leader

    def apply(self, record):
        """Note who is announced."""
        if record.key == NOOP:
            self.announced = json.loads(record.value)["leader"]

    async def register(self, member, subject, text):
        """The id, or the error's number; raises PeerUnreachable."""
        body = json.dumps({"schema": text}).encode()
        answer = await self.http.send("POST", f"http://{member.listen}/subjects/{subject}/versions", body, MEDIA)
        content = json.loads(answer.body)
        return answer.status, content.get("id") if answer.status == 200 else content["error_code"]

    async def text(self, member, schema_id, first):
        """The schema of an id: at once where it was registered (`first`), elsewhere once it is known."""
        while True:
            answer = await self.http.send("GET", f"http://{member.listen}/schemas/ids/{schema_id}")
            if answer.status == 200:
                return json.loads(answer.body)["schema"]
            assert member is not first
            await asyncio.sleep(0.01)

    def records(self):
        """Everything in the topic, read by a client that is not ours: (key, value), JSON read."""
        return list(committed(self.bootstrap, self.topic))


@asynccontextmanager
async def cluster_of(bootstrap, topic, size=3, reachable=True):
    """So many replicas that answer; compatibility is NONE."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAM), bootstrap, topic, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with HttpClient(timeout=60.0) as http:
            cluster = Cluster(bootstrap, topic, http, program, size, reachable)
            for member in cluster.members:
                await cluster.start(member)
            async with TableReader(bootstrap, topic, cluster.apply, SystemClock()):
                level = json.dumps({"compatibility": "NONE"}).encode()
                answer = await http.send("PUT", f"http://{cluster.members[0].listen}/config", level, MEDIA)
                assert answer.status == 200, answer
                yield cluster
    finally:
        program.stdin.close()
        await program.wait()


class Load:
    """Clients that register new schemas without pause: what was acknowledged, and which errors they met."""

    def __init__(self, cluster, places, clients=16, subjects=20):
        self._cluster = cluster
        self._places = places
        self._clients = clients
        self._subjects = subjects
        self._ended = False
        self.acknowledged = {}
        self.errors = []
        self.broken = 0

    @asynccontextmanager
    async def running(self):
        """Registers while the block runs, and returns once every client has its last answer."""
        tasks = [asyncio.create_task(self._register(client)) for client in range(self._clients)]
        try:
            yield self
        finally:
            self._ended = True
            await asyncio.gather(*tasks)

    async def more(self, count):
        """Return once so many more are acknowledged."""
        goal = len(self.acknowledged) + count
        while len(self.acknowledged) < goal:
            await asyncio.sleep(0.001)

    async def _register(self, client):
        """One schema after the other, each until it is acknowledged, at whichever replica; every third one twice."""
        number = client
        while not self._ended:
            text = schema("a", name=f"uz.R{number // 2 if number % 3 == 0 else number}")
            await self._until_acknowledged(number, f"s{number % self._subjects}-value", text)
            number += self._clients

    async def _until_acknowledged(self, number, subject, text):
        for attempt in range(200):
            member = self._places[(number + attempt) % len(self._places)]
            try:
                status, said = await self._cluster.register(member, subject, text)
            except PeerUnreachable:
                self.broken += 1
                await asyncio.sleep(0.02)
                continue
            if status == 200:
                self.acknowledged[subject, text] = said
                return
            self.errors.append((status, said))
            assert (status, said) in {(500, code) for code in RETRIABLE}, (status, said)
        raise AssertionError(f"{subject} was not registered in 200 attempts")


def require_sound(records, acknowledged):
    """Each id is one schema's, each number of a version was given once, and all that was acknowledged is there."""
    versions, texts = {}, {}
    for key, value in records:
        if key["keytype"] == "SCHEMA" and value is not None:
            place = key["subject"], key["version"]
            assert place not in versions, f"{place} was given twice"
            versions[place] = value
            given = value["id"]
            assert texts.setdefault(given, value["schema"]) == value["schema"], f"id {given} was given twice"
    assert len(set(texts.values())) == len(texts), "a schema has two ids"
    assert sorted(texts) == list(range(1, len(texts) + 1)), "an id was left out"
    for subject in {subject for subject, _ in versions}:
        numbers = [number for name, number in versions if name == subject]
        assert numbers == list(range(1, len(numbers) + 1)), f"{subject} has versions {numbers}"
    there = {(subject, value["schema"]): value["id"] for (subject, _), value in versions.items()}
    missing = {place: given for place, given in acknowledged.items() if there.get(place) != given}
    assert not missing


def committed(bootstrap, topic):
    """Every committed record of a topic."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False}
    consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})
    try:
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        while True:
            message = consumer.poll(10.0)
            assert message is not None
            if message.error():
                assert message.error().code() == KafkaError._PARTITION_EOF
                return
            value = message.value()
            yield json.loads(message.key()), None if value is None else json.loads(value)
    finally:
        consumer.close()
