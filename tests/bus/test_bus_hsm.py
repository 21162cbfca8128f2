"""A publisher whose agency's key is in an HSM that comes and goes."""

from __future__ import annotations

import pytest

from exchange.errors import KeyUnavailable
from exchange.trust import RotatingSigner, open_hsm
from tests.fakes.bus_world import SCHEMA, read_all


async def test_a_pulled_token_stops_a_publisher_until_it_is_back(world, hsm, tmp_path):
    """Meanwhile nothing is published and the error is one to retry; then the next publisher goes on, without a gap."""
    token = hsm.token()
    token.put(world.keys[world.civil])
    store = open_hsm(token.place(), token.pin(tmp_path))
    world.keys[world.civil] = RotatingSigner(store, world.civil, world.directory, world.clock)
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 1}, key="k")
        token.pull()
        with pytest.raises(KeyUnavailable) as caught:
            await publisher.publish(world.topic, {"n": 2}, key="k")
        assert caught.value.retriable
        token.plug_in()
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        await publisher.publish(world.topic, {"n": 2}, key="k")
    events = await read_all(world, 2)
    assert [(event.data["n"], event.sequence) for event in events] == [(1, 0), (2, 1)]
