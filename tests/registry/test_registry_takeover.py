"""Replicas as processes: the one that leads is killed, stopped or cut off; the others go on, and no id is lost."""

import json

import pytest

from tests.registry.conftest import schema
from tests.registry.registry_cluster import MEDIA, Load, cluster_of, require_sound


@pytest.fixture
def topic(unique):
    """A topic of its own."""
    return unique("schemas")


async def test_what_one_replica_registers_all_know(kafka, topic):
    """Whoever was asked has it at once, the others as soon as they have read it."""
    async with cluster_of(kafka, topic) as cluster:
        for number, member in enumerate(cluster.members):
            text = schema("a", name=f"uz.R{number}")
            assert await cluster.register(member, f"s{number}-value", text) == (200, number + 1)
            for each in cluster.members:
                assert await cluster.text(each, number + 1, first=member) == text


async def test_a_killed_leader_is_replaced_while_sixteen_clients_register_at_the_others(kafka, topic):
    """No client meets more than an error that says to ask again, and everything acknowledged is there."""
    async with cluster_of(kafka, topic) as cluster:
        leader = cluster.leader
        load = Load(cluster, cluster.followers)
        async with load.running():
            await load.more(30)
            cluster.kill(leader)
            await cluster.next_leader(leader)
            await load.more(100)
        assert load.broken == 0
        require_sound(cluster.records(), load.acknowledged)


async def test_a_leader_that_stood_still_finds_itself_fenced_and_follows(kafka, topic):
    """What it was about to write is there once, by its successor; it answers, forwards, and knows what it missed."""
    async with cluster_of(kafka, topic) as cluster:
        stopped = cluster.leader
        everywhere, others = Load(cluster, [stopped]), Load(cluster, cluster.followers)
        async with everywhere.running():
            await everywhere.more(30)
            cluster.stop(stopped)
            async with others.running():
                await cluster.next_leader(stopped)
                await others.more(100)
                cluster.go_on(stopped)
                await everywhere.more(50)
                await others.more(50)
        assert cluster.leader is not stopped
        assert everywhere.broken == others.broken == 0
        require_sound(cluster.records(), {**everywhere.acknowledged, **others.acknowledged})


async def test_replicas_that_do_not_reach_each_other_never_give_an_id_twice(kafka, topic):
    """Each takes the other for silent; Kafka alone says who writes."""
    async with cluster_of(kafka, topic, size=2, reachable=False) as cluster:
        load = Load(cluster, cluster.members, clients=8)
        async with load.running():
            for _ in range(6):  # leadership goes back and forth
                await cluster.next_leader(cluster.leader)
                await load.more(5)
        require_sound(cluster.records(), load.acknowledged)


async def test_a_cluster_that_was_killed_whole_goes_on_where_it_was(kafka, topic):
    """Every replica is killed at once; started again, they know all and give the next id."""
    async with cluster_of(kafka, topic) as cluster:
        load = Load(cluster, cluster.members)
        async with load.running():
            await load.more(50)
            for member in cluster.members:
                cluster.kill(member)
            for member in cluster.members:
                await cluster.start(member)
            await load.more(50)
        require_sound(cluster.records(), load.acknowledged)
        subjects = [
            json.loads((await cluster.http.send("GET", f"http://{member.listen}/subjects", b"", MEDIA)).body)
            for member in cluster.members
        ]
        assert subjects[0] == subjects[1] == subjects[2]
