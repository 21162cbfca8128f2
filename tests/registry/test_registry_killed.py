"""Whichever registry leads is killed while it registers: what was answered stays, and no id is ever given twice."""

import pytest

from tests.registry.registry_cluster import Load, cluster_of, require_sound

KILLS = 50


@pytest.mark.timeout(300)
async def test_fifty_kills_lose_nothing_and_double_nothing(kafka, unique):
    """Sixteen clients register all the time; the one that leads is killed, others take over, it comes back."""
    async with cluster_of(kafka, unique("schemas")) as cluster:
        load = Load(cluster, cluster.members)
        async with load.running():
            for _ in range(KILLS):
                await load.more(5)
                leader = cluster.leader
                cluster.kill(leader)
                await cluster.next_leader(leader)
                await cluster.start(leader, wait=False)
        assert len(load.acknowledged) >= KILLS * 10
        require_sound(cluster.records(), load.acknowledged)
