"""Replicas over one log: a write runs at the one that leads, wherever it was sent, and outlives that one."""

import asyncio
import json
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from exchange.clock import SystemClock
from exchange.errors import PublisherFenced
from exchange.ids import uuid7
from exchange.registry import OpenWrites, RegistryService, Replicas, SignedWrites, build_app
from exchange.registry.entities import SchemaRequest
from exchange.registry.http.answers import Answer
from exchange.transport.http import HttpClient, HttpRequest, authority_of, sign_request
from tests.fakes.instance import INTERIOR, RESIDENCE_TOPIC, TAX, FakeInstance
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore
from tests.registry.conftest import BAD, V1, V2, schema
from tests.registry.memory_cluster import Replica, announce, announced, never, reply
from tests.registry.raw_http import ask

NOBODY = "http://127.0.0.1:1"
SLOW = {"patience": 0.2, "succession": 0.3}


@pytest.fixture
def log():
    """What all replicas follow."""
    return MemoryLog()


@pytest.fixture
async def start(log, http):
    """Starts a replica; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def make(writes=None, **settings):
            made = Replica(log, http, writes or OpenWrites(), SLOW | settings)
            return await stack.enter_async_context(made.running())

        yield make


@pytest.fixture
async def peer(log):
    """Announces as leader a peer that does what a script says, one step a write; `None` hangs up."""
    async with AsyncExitStack() as stack:

        async def make(*steps, alive=True):
            heard, script, ended = [], list(steps), asyncio.Event()
            stack.callback(ended.set)

            async def handle(reader, writer):
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /healthz"):
                    if not alive:
                        await ended.wait()
                    writer.write(reply(b"ok"))
                else:
                    heard.append(head)
                    step = script.pop(0) if script else None
                    writer.write(await step(ended) if callable(step) else step or b"")
                writer.close()

            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            stack.callback(server.close)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            announce(log, url)
            return url, heard

        yield make


async def test_a_write_at_any_replica_is_read_at_once_there_and_everywhere(start, log):
    """Whoever is asked first leads; the others send it what they are asked to write."""
    replicas = [await start() for _ in range(3)]
    for number, replica in enumerate(replicas):
        assert await replica.register(f"s{number}-value", schema("a", name=f"uz.R{number}")) == number + 1
        for each in replicas:
            subjects = (await each.ask("GET", "/subjects")).json
            assert subjects == [f"s{known}-value" for known in range(number + 1)]
    assert [each.service.leads for each in replicas] == [True, False, False]
    assert announced(log)[-1] == replicas[0].url


async def test_what_the_leader_refuses_is_refused_in_its_words(start):
    """Status and body are the same wherever a write is sent."""
    leader, follower = await start(), await start()
    await leader.register("s-value", V1)
    for method, target, body in (
        ("POST", "/subjects/s-value/versions", {"schema": BAD}),
        ("POST", "/subjects/s-value/versions", {"schema": "no schema"}),
        ("PUT", "/config/s-value", {"compatibility": "NO LEVEL"}),
        ("DELETE", "/subjects/unknown-value", None),
    ):
        here, there = await leader.ask(method, target, body), await follower.ask(method, target, body)
        assert here.status >= 400
        assert (there.status, there.json) == (here.status, here.json)
        assert there.headers["content-type"] == here.headers["content-type"]


async def test_query_and_escapes_reach_the_leader_as_they_were_sent(start):
    """A context-qualified subject, escaped, and every parameter."""
    await (await start()).register("s-value", V1)
    follower = await start()
    target = "/subjects/%3A.ctx%3Aa%2Fb%20c/versions?normalize=true&x=%3A"
    assert (await follower.ask("POST", target, {"schema": V1})).json["id"] == 1
    assert (await follower.ask("GET", "/subjects/:.ctx:a%2Fb%20c/versions")).json == [1]
    deleted = await follower.ask("DELETE", "/subjects/%3A.ctx%3Aa%2Fb%20c?permanent=false")
    assert deleted.json == [1]


async def test_a_signature_holds_through_a_replica(start):
    """The leader verifies what the owner signed, for the address that it was sent to."""
    instance = FakeInstance(SystemClock().now())

    def asking():
        return SignedWrites(instance.directory, SystemClock())

    leader, follower = await start(asking()), await start(asking())
    subject = f"{RESIDENCE_TOPIC}-value"
    for replica, sender, text, status in (
        (leader, INTERIOR, V1, 200),
        (follower, INTERIOR, V2, 200),
        (follower, TAX, V1, 403),
    ):
        body = json.dumps({"schema": text}).encode()
        path, query = f"/subjects/{subject}/versions", "normalize=true&x=%3A"
        request = HttpRequest("POST", authority_of(replica.url), path, query, {}, body)
        headers = sign_request(request, uuid7(), instance.credentials(sender), SystemClock().now())
        answer = await replica.ask("POST", f"{path}?{query}", body, **headers)
        assert answer.status == status, answer
    unsigned = await follower.ask("POST", path, {"schema": V1})
    assert unsigned.error == (401, 40101)


async def test_headers_go_along_and_the_host_stays(start, peer):
    """All but what concerns the connection, and the mark that it was passed on."""
    answer = reply(b'{"id":7}', exchange_offset=0, x_other="not relayed")
    follower = await start()
    _, heard = await peer(answer)
    got = await follower.ask("POST", "/subjects/s/versions?a=b", {"schema": V1}, exchange_lint="warn", te="trailers")
    assert (got.status, got.json, got.headers["exchange-offset"]) == (200, {"id": 7}, "0")
    assert "x-other" not in got.headers
    [head] = heard
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /subjects/s/versions?a=b http/1.1"
    for line in (f"host: {urlsplit(follower.url).netloc}", "exchange-lint: warn", "x-forward: true"):
        assert lines.count(line) == 1
    assert not [line for line in lines if line.startswith(("te:", "connection: close"))]


async def test_an_answer_without_an_offset_is_passed_on(start, peer):
    """What a peer of another kind says is said."""
    follower = await start()
    await peer(reply(b"[]"), reply(b"{", 500), reply(b'{"error_code":50001,"message":"x"}', 500))
    assert (await follower.ask("DELETE", "/subjects/s")).status == 200
    assert (await follower.ask("DELETE", "/subjects/s")).body == b"{"
    assert (await follower.ask("DELETE", "/subjects/s")).error == (500, 50001)


async def test_a_leader_that_is_gone_is_replaced_at_once_and_by_one(start, log):
    """Many writes find nobody at its address; one of them takes its place, and all are done."""
    replica = await start()
    announce(log, NOBODY)
    texts = [schema("a", name=f"uz.R{number}") for number in range(16)]
    ids = await asyncio.gather(*(replica.register(f"s{number}", text) for number, text in enumerate(texts)))
    assert sorted(ids) == list(range(1, 17))
    assert announced(log).count(replica.url) == 1


async def test_a_leader_that_hangs_is_replaced(start, peer, log):
    """It takes connections and says nothing, not even that it lives."""
    replica = await start()
    await peer(never, alive=False)
    assert await replica.register("s", V1) == 1
    assert replica.service.leader == replica.url


async def test_a_leader_that_is_slow_is_left_to_work(start, peer, log):
    """As long as it shows that it lives, its answer is waited for."""
    replica = await start()

    async def late(ended):
        await asyncio.wait([asyncio.ensure_future(ended.wait())], timeout=1.0)
        return reply(b'{"id":7}')

    url, heard = await peer(late)
    assert await replica.register("s", V1) == 7
    assert (len(heard), replica.service.leader) == (1, url)


async def test_an_answer_that_never_comes_from_a_leader_that_lives_is_said(log, peer):
    """The write may be done: neither is it done again, nor the leader replaced."""
    async with HttpClient(timeout=0.5) as http, Replica(log, http, OpenWrites(), SLOW).running() as replica:
        url, heard = await peer(never)
        got = await replica.ask("POST", "/subjects/s/versions", {"schema": V1})
        assert got.error == (500, 50003)
        assert got.json["message"] == "Error while forwarding the request to the leader"
        assert (len(heard), replica.service.leader) == (1, url)


async def test_a_connection_that_breaks_is_no_reason_to_replace_a_leader_that_lives(start, peer):
    """The write is sent again."""
    replica = await start()
    url, heard = await peer(None, reply(b'{"id":7}'))
    assert await replica.register("s", V1) == 7
    assert (len(heard), replica.service.leader) == (2, url)


async def test_a_leader_that_breaks_every_connection_ends_in_an_error(start, peer):
    """After some attempts the sender is told."""
    replica = await start()
    _, heard = await peer()
    got = await replica.ask("POST", "/subjects/s/versions", {"schema": V1})
    assert (got.error, got.json["message"]) == ((500, 50004), "Leader not known.")
    assert 1 < len(heard) < 10


async def test_what_was_forwarded_is_not_forwarded_again(start, peer):
    """Asked by another replica, one that follows says that it does not lead."""
    replica = await start()
    _, heard = await peer(reply(b"{}"))
    got = await replica.ask("POST", "/subjects/s/versions", {"schema": V1}, x_forward="true")
    assert (got.error, heard) == ((500, 50004), [])


async def test_what_was_forwarded_is_done_where_nobody_is_announced(start):
    """Whoever is asked first leads, by whomever."""
    replica = await start()
    got = await replica.ask("POST", "/subjects/s/versions", {"schema": V1}, x_forward="true")
    assert (got.status, replica.service.leads) == (200, True)


async def test_a_leader_that_says_it_follows_is_asked_no_more_once_the_next_is_announced(start, peer, log):
    """The one that asked waits until it learns who leads now."""
    replica, next_leader = await start(), await start()

    async def follows(_):
        asyncio.get_running_loop().call_later(0.1, announce, log, next_leader.url)
        return reply(b'{"error_code":50004,"message":"Leader not known."}', 500)

    _, heard = await peer(follows)
    assert await replica.register("s", V1) == 1
    assert (len(heard), next_leader.service.leads) == (1, True)


async def test_who_is_fenced_sends_the_write_to_its_successor(start, log):
    """It waits until the successor is announced, and does not take its place."""
    first, second = await start(succession=30.0), await start()
    await first.register("a", V1)
    await second.store.lead()
    under_way = [asyncio.create_task(first.register(f"b{number}", V1)) for number in range(3)]
    await asyncio.wait(under_way, timeout=0.2)
    assert not any(task.done() for task in under_way)
    await second.service.claim()
    assert await asyncio.gather(*under_way) == [1, 1, 1]
    assert (first.service.leads, second.service.leads) == (False, True)


async def test_a_write_that_comes_just_after_the_fencing_waits_for_the_successor_too(start):
    """However late it learns that this replica was fenced, it does not take the lead back."""
    first, second = await start(succession=30.0), await start()
    await first.register("a", V1)
    await second.store.lead()
    with pytest.raises(PublisherFenced):
        await first.service.register("b", SchemaRequest(schema=V2))
    late = asyncio.create_task(first.register("c", V1))
    await asyncio.wait([late], timeout=0.2)
    assert not late.done()
    await second.service.claim()
    assert await late == 1
    assert (first.service.leads, second.service.leads) == (False, True)


async def test_what_was_forwarded_to_one_that_is_fenced_goes_to_its_successor(start):
    """A third replica, that still takes the first for the leader, is told to look again."""
    first, second, third = await start(), await start(), await start(succession=30.0)
    await first.register("a", V1)
    await second.store.lead()
    under_way = asyncio.create_task(third.register("b", V2))
    await asyncio.wait([under_way], timeout=0.1)
    await second.service.claim()
    assert await under_way == 2
    assert second.service.leads


async def test_who_is_fenced_by_one_that_dies_leads_again(start, log):
    """Where no successor is announced in time, there is none."""
    first, second = await start(), await start()
    await first.register("a", V1)
    await second.store.lead()
    assert await first.register("b", V2) == 2
    assert first.service.leads


async def test_two_that_do_not_reach_each_other_never_give_an_id_twice(log, http):
    """Each takes the other for silent and its place, again and again; what is acknowledged holds."""
    unreachable = [Replica(log, http, OpenWrites(), SLOW) for _ in range(2)]
    for each in unreachable:
        each.url = f"{NOBODY}/{each.listen}"
        each.service = RegistryService(each.store, each.url, alone=False)
        each.replicas = Replicas(each.service, http, each.url, **SLOW)
        each.app = build_app(each.service, OpenWrites(), each.replicas)
    async with AsyncExitStack() as stack:
        for each in unreachable:
            await stack.enter_async_context(each.running())
        asked = {number: schema("a", name=f"uz.R{number}") for number in range(60)}
        answers = await asyncio.gather(
            *(
                ask(
                    f"http://{unreachable[number % 2].listen}",
                    "POST",
                    f"/subjects/s{number}/versions",
                    {"schema": text},
                )
                for number, text in asked.items()
            )
        )
        ids = {number: reply.json["id"] for number, reply in enumerate(answers) if reply.status == 200}
        assert all(reply.status == 200 or reply.error == (500, 50004) for reply in answers)
        assert len(set(ids.values())) == len(ids) > 0
        for number, schema_id in ids.items():
            for each in unreachable:
                assert json.loads(each.service.by_id(schema_id).text) == json.loads(asked[number])


async def test_a_replica_that_was_not_told_to_lead_does_not_write(log):
    """Asked past everything that sends writes to the leader, it refuses; it does not take the lead."""
    service = RegistryService(MemorySchemaStore(log), "http://one", alone=False)
    await service.start()
    with pytest.raises(PublisherFenced, match="does not lead"):
        await service.register("s", SchemaRequest(schema=V1))
    assert log.records == []
    await service.claim()
    assert (await service.register("s", SchemaRequest(schema=V1))).id == 1
    await service.close()


@pytest.mark.parametrize("written", [True, False])
async def test_a_write_whose_outcome_is_unknown_is_settled_by_the_leader(start, written):
    """It leads anew as long as no other is announced; what was written is answered, what was not is written."""
    replica = await start(succession=30.0)
    await replica.register("s", V1)
    replica.store.fail_next = written
    assert (await replica.ask("DELETE", "/subjects/s")).json == [1]
    assert replica.service.leads


class Lost:
    """A service whose claims are always overtaken by somebody who is not there."""

    def __init__(self):
        self.leader = NOBODY
        self.leads = self.fenced = False
        self.claims = 0

    async def claim(self):
        """Be overtaken."""
        self.claims += 1
        self.leader = f"{NOBODY}/{self.claims}"
        raise PublisherFenced("another")


async def test_attempts_are_bounded(http):
    """Where leaders come and go, the sender is told, and may ask again."""
    lost = Lost()
    replicas = Replicas(lost, http, "http://own", **SLOW)

    async def execute():
        return Answer(b"never")

    request = HttpRequest("POST", "own", "/subjects/s/versions", "", {}, b"{}")
    with pytest.raises(Exception, match="Leader not known") as refused:
        await replicas.write(request, execute)
    assert (refused.value.code, refused.value.retriable) == ("leader_unknown", True)
    assert 1 < lost.claims < 10
