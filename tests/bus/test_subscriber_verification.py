"""Verification off: for development, said so in the settings, and never by accident."""

from __future__ import annotations

import pytest

from exchange.bus import Batch
from exchange.envelope import UnverifiedEvent
from exchange.errors import SettingsError
from exchange.settings import Settings
from tests.fakes.bus_world import published, write_raw


def test_settings_are_for_production_unless_they_say_otherwise():
    """The switch is off by itself."""
    assert Settings().development is False


def test_verification_cannot_be_switched_off_in_production(world):
    """`verify=False` alone is an error at once, and says what it would take."""
    with pytest.raises(SettingsError, match=r"verify=False .*development: true"):
        world.subscriber("dev", verify=False)
    with pytest.raises(SettingsError):
        world.subscriber("dev", verify=False, development=Settings().development)


async def test_development_alone_verifies(world):
    """A development setting changes nothing for who does not ask."""
    await write_raw(world, world.topic, b"noise")
    async with world.subscriber("dev", development=True) as subscriber:
        batch: Batch = await anext(subscriber.batches())
    assert [each.error.code for each in batch.refused] == ["seal_malformed"]


async def test_unverified_events_are_marked_and_counted(world, sample):
    """Unsealed and forged records are events, too, each marked as what it is; what is no event is still refused."""
    [first] = await published(world, 1)
    await write_raw(world, world.topic, first.value, first.headers[:-1], first.key)
    await write_raw(world, world.topic, first.value, [*first.headers[:-1], ("exchange-seal", b"forged")], first.key)
    await write_raw(world, world.topic, b"noise", first.headers, first.key)
    events, refused = [], []
    async with world.subscriber("dev", verify=False, development=True) as subscriber:
        async for batch in subscriber.batches():
            events += batch.events
            refused += [each.error.code for each in batch.refused]
            if len(events) + len(refused) == 4:
                break
    assert [event.data["n"] for event in events] == [1, 1, 1]
    assert refused == ["schema_mismatch"]
    assert all(isinstance(event, UnverifiedEvent) for event in events)
    assert {(event.publisher, event.agency) for event in events} == {("unverified", world.civil)}
    assert sample("exchange_unverified_total", topic=world.topic, group=world.group("dev")) == 3
