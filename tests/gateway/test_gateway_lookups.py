"""Lookups through a served gateway."""

from __future__ import annotations

import pytest

from exchange.errors import AccessDenied


async def test_the_story_of_a_bidder(world):
    """Denied without consent, permitted with it, denied a field more, denied from the withdrawal on."""
    async with world.running():
        with pytest.raises(AccessDenied) as caught:
            await world.look_up()
        assert caught.value.code == "consent_missing"
        await world.give("standing")
        found = await world.look_up()
        assert found.data == {"standing": "good"}
        with pytest.raises(AccessDenied) as caught:
            await world.look_up("standing", "debt_uzs")
        assert caught.value.code == "consent_field_not_given"
        await world.client().withdraw_consent(world.about())
        with pytest.raises(AccessDenied) as caught:
            await world.look_up()
        assert caught.value.code == "consent_withdrawn"
