"""A publisher whose agency's key is in an HSM that comes and goes."""

from __future__ import annotations

import asyncio

import pytest

from exchange.errors import KeyUnavailable
from exchange.trust import RotatingSigner, open_hsm
from tests.fakes.bus_world import SCHEMA, read_all


@pytest.fixture
def token(world, hsm, tmp_path):
    """The civil register's key is in this token from now on."""
    token = hsm.token()
    token.put(world.keys[world.civil])
    store = open_hsm(token.place(), token.pin(tmp_path))
    world.keys[world.civil] = RotatingSigner(store, world.civil, world.directory, world.clock)
    return token


async def test_a_publisher_waits_for_a_pulled_token(world, token, sample):
    """What is published while the token is away goes out once it is back: by the same publisher, without a gap."""
    recovered = {"publisher": str(world.publisher_id), "outcome": "written_again"}
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
        token.pull()
        waiting = asyncio.ensure_future(publisher.publish(world.topic, {"n": 2}, key="k"))
        done, _ = await asyncio.wait([waiting], timeout=1.0)
        assert not done
        token.plug_in()
        await waiting
        assert sample("exchange_publish_recoveries_total", **recovered) == 1
    assert [(event.data["n"], event.sequence) for event in await read_all(world, 2)] == [(1, 0), (2, 1)]


async def test_a_token_that_stays_away_ends_a_publishers_patience(world, token):
    """Then the error is one to retry, nothing was published, and the next publisher goes on without a gap."""
    async with world.publisher(patience=0.5) as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
        token.pull()
        with pytest.raises(KeyUnavailable) as caught:
            await publisher.publish(world.topic, {"n": 2}, key="k")
        assert caught.value.retriable
        token.plug_in()
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 3}, key="k")
    assert [(event.data["n"], event.sequence) for event in await read_all(world, 2)] == [(1, 0), (3, 1)]
