"""How much of each fault: a short form for every run of the tests, a long one for `make faults`.

The tests are the same; only the numbers differ. EXCHANGE_FAULTS=long chooses the long form.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Times are seconds.

    `publisher_kills`, `copy_kills`: SIGKILLs of publishing and of copying processes, the latter over `copies` copies
    in each database at once. `broker_kills` come every `broker_seconds`. `stall`: how long a broker, or the network,
    stands still. `session`: how long a cluster waits for a broker that is silent (long: Kafka's own default).
    """

    publisher_kills: int
    copy_kills: int
    copies: int
    broker_kills: int
    broker_seconds: float
    roles: tuple[str, ...]
    group_rows: int
    stall: float
    session: float
    random_records: int


SHORT = Scale(
    publisher_kills=4,
    copy_kills=4,
    copies=2,
    broker_kills=1,
    broker_seconds=1.0,
    roles=("transaction coordinator",),
    group_rows=2_000,
    stall=5.0,
    session=3.0,
    random_records=20,
)
LONG = Scale(
    publisher_kills=100,
    copy_kills=100,
    copies=5,
    broker_kills=15,
    broker_seconds=20.0,
    roles=("leader", "transaction coordinator", "group coordinator", "restart"),
    group_rows=10_000,
    stall=60.0,
    session=9.0,
    random_records=500,
)


def chosen() -> Scale:
    """The form that EXCHANGE_FAULTS asks for: `long`, or short."""
    return LONG if os.environ.get("EXCHANGE_FAULTS") == "long" else SHORT
