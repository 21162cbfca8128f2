"""The verdict itself: it notices each thing that must not happen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.copies import Copied
from tests.faults.verdict import require_whole
from tests.faults.work import key_of

GOOD = [Copied(row, key_of(row), row % 2, row // 2) for row in range(40)]


def test_what_is_whole_passes():
    """Rows once each, numbered without a hole, in order."""
    require_whole(GOOD, 40)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (GOOD[:-1], "1 rows lost, the first \\[39\\]"),
        ([*GOOD, replace(GOOD[3], sequence=20, partition=1)], "1 rows twice, the first \\[3\\]"),
        ([*GOOD, Copied(40, "k7", 0, 20)], "never committed: \\[40\\]"),
        ([*GOOD[:-1], replace(GOOD[-1], sequence=20)], "partition 1 is not numbered without a hole"),
        ([GOOD[22], *GOOD[1:22], GOOD[0], *GOOD[23:]], "partition 0 is not numbered"),
        ([replace(GOOD[0], number=22), *GOOD[1:22], replace(GOOD[22], number=0), *GOOD[23:]], "key k0 is out of order"),
    ],
)
def test_what_is_not_whole_is_named(found, message):
    """Lost, twice, too much, a hole, a wrong turn within a partition, and one within a key."""
    with pytest.raises(AssertionError, match=message):
        require_whole(found, 40)
