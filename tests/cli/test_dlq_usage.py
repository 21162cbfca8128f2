"""How dead letters and replays are asked for: what is said of arguments that cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from exchange.cli.moments import MOMENT

AGENCY = ("--agency", "UZ/GOV/social/benefits")
REPLAY = ("topic", "replay", "gov.interior.civil.residence-changed.v1", *AGENCY, "--group", "g")

WRONG = [
    (("dlq", "list"), "Missing option '--agency'"),
    (("dlq", "list", "--agency", "benefits"), "is not an agency"),
    (("dlq", "list", *AGENCY, "--since", "yesterday"), "expected e.g. 2026-11-22T10:00:00Z"),
    (("dlq", "list", *AGENCY, "--state", "lost"), "'lost' is not one of"),
    (("dlq", "show", *AGENCY, "-1"), "No such option"),
    (("dlq", "show", *AGENCY, "first"), "is not a valid integer"),
    (("dlq", "retry", *AGENCY), "say which letters"),
    (("dlq", "retry", *AGENCY, "1", "--code", "x"), "say which letters"),
    (("dlq", "drop", *AGENCY, "1"), "Missing option '--reason'"),
    (REPLAY, "say which records"),
    ((*REPLAY, "--offsets", "1-2"), "say which records"),
    ((*REPLAY, "--partition", "0", "--offsets", "9-2"), "expected A-B"),
    ((*REPLAY, "--from", "1 hour"), "expected e.g. 2026-11-22T10:00:00Z"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda each: " ".join(each)[:40])
def test_wrong_arguments_are_named(run, arguments, message):
    """Each says what would be right, with exit code 2, before Kafka is asked."""
    answer = run(*arguments)
    assert answer.code == 2
    assert message in answer.err


@pytest.mark.parametrize("name", ["list", "show", "retry", "drop", "stats"])
def test_every_command_of_dead_letters_says_what_it_does(run, name):
    """Help is there, with the agency's option."""
    answer = run("dlq", name, "--help")
    assert answer.code == 0
    assert "--agency" in answer.out


def test_a_moment_is_a_time_or_so_long_ago():
    """RFC 3339 in UTC, or seconds, minutes, hours or days before now."""
    assert MOMENT.convert("2026-11-22T10:00:00Z", None, None) == datetime(2026, 11, 22, 10, tzinfo=UTC)
    for text, ago in (("90s", 90), ("5m", 300), ("2h", 7_200), ("7d", 604_800)):
        found = datetime.now(UTC) - MOMENT.convert(text, None, None)
        assert abs(found - timedelta(seconds=ago)) < timedelta(seconds=30)


@pytest.mark.parametrize(
    "text", ["", "0h", "h", "2 h", "2w", "-1h", "1234567s", "2026-11-22", "2026-11-22T10:00:00+05:00"]
)
def test_what_is_no_moment_is_refused(text):
    """Times of other zones and words are not guessed at."""
    with pytest.raises(click.BadParameter):
        MOMENT.convert(text, None, None)
