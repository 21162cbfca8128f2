"""One instance, one clock, one individual."""

from __future__ import annotations

from datetime import timedelta

import pytest

from exchange.consent import ConsentKey, Terms
from tests.fakes.instance import CONSENT_PURPOSE, PROCUREMENT, TAX, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON, MovingClock


@pytest.fixture
def clock() -> MovingClock:
    """Noon, until a test moves it."""
    return MovingClock(NOON)


@pytest.fixture
def instance() -> FakeInstance:
    """The instance as it is at noon."""
    return FakeInstance(NOON)


@pytest.fixture
def key() -> ConsentKey:
    """A bidder's consent to procurement, for its tax standing."""
    return ConsentKey("a" * 26, PROCUREMENT, TAX_STANDING, CONSENT_PURPOSE)


@pytest.fixture
def terms(key: ConsentKey) -> Terms:
    """Standing only, for a day."""
    return Terms(key, TAX, frozenset({"standing"}), "uz-Latn", "0" * 64, NOON + timedelta(days=1))
