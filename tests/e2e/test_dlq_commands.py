"""Dead letters and replays as a person works with them: `exchange dlq`, `exchange topic replay`."""

from __future__ import annotations

import pytest

from tests.e2e.dlq_world import make_benefits
from tests.fakes.home import Home


@pytest.fixture(scope="module")
def benefits(kafka, tmp_path_factory):
    """A running instance; the tests go on from what the one before them left."""
    folder = tmp_path_factory.mktemp("dlq")
    home = Home(folder / "home", {"EXCHANGE_KAFKA_BOOTSTRAP": kafka})
    try:
        yield make_benefits(home, kafka, folder)
    finally:
        for child in home.children:
            if child.poll() is None:
                child.kill()
            child.communicate()


class Insert:
    """A handler that refuses some codes until it is mended; it notes what it took, and counts what it did not."""

    def __init__(self, *refused):
        self.refused = set(refused)
        self.taken = []
        self.failed = 0

    async def __call__(self, event):
        if event.data["code"] in self.refused:
            self.failed += 1
            raise ValueError("a name: Aziz")
        self.taken.append(event.data["code"])


def test_dead_letters_are_listed_shown_retried_dropped_and_counted(benefits):
    """From a handler that fails to the event in its place: each command says what is, and decides once."""
    agency = ("--agency", str(benefits.agency))
    benefits.publish("abcd")
    insert = Insert("b", "c")
    benefits.handle(insert, lambda: len(insert.taken) == 2 and insert.failed == 2)

    listed = benefits.rows("dlq", "list", *agency)
    assert [(row["state"], row["code"], row["topic"], row["offset"], row["handler"]) for row in listed] == [
        ("open", "handler_failed", benefits.topic, 1, "insert"),
        ("open", "handler_failed", benefits.topic, 2, "insert"),
    ]
    first, second = (str(row["number"]) for row in listed)
    assert [row["number"] for row in benefits.rows("dlq", "list", *agency, "--limit", "1")] == [int(first)]
    assert [row["number"] for row in benefits.rows("dlq", "list", *agency, "--after", first)] == [int(second)]
    assert benefits.rows("dlq", "list", *agency, "--code", "key_not_valid") == []
    assert benefits.rows("dlq", "list", *agency, "--until", "1h") == []
    assert len(benefits.rows("dlq", "list", *agency, "--since", "1h", "--group", benefits.group)) == 2

    shown = benefits.rows("dlq", "show", *agency, first)
    assert (shown["verified"], shown["data"], shown["key"]) == (True, {"code": "b"}, "b")
    assert shown["publisher"] == f"{benefits.owner}/lists"
    assert shown["message"] == "the handler raised ValueError"
    assert shown["headers"][-1][0] == "exchange-seal"
    assert "Aziz" not in benefits.run("dlq", "show", *agency, first).stdout

    insert.refused.clear()
    assert [row["state"] for row in benefits.rows("dlq", "retry", *agency, first)] == ["retried"]
    again = benefits.run("dlq", "retry", *agency, first)
    assert again.exit_code == 0
    assert f"letter {first} was retried before" in again.stderr
    benefits.handle(insert, lambda: "b" in insert.taken)
    assert sorted(insert.taken) == ["a", "b", "d"]

    dropped = benefits.rows("dlq", "drop", *agency, "--code", "handler_failed", "--reason", "withdrawn by its owner")
    assert [row["number"] for row in dropped] == [int(second)]
    decided = benefits.rows("dlq", "show", *agency, second)["decided"]
    assert (decided["by"], decided["reason"]) == (f"{benefits.agency}/dlq", "withdrawn by its owner")
    assert decided["key"] == benefits.home.instance.credentials(benefits.agency).signer.public.fingerprint
    assert f"letter {second} is dropped already" in benefits.refusal("dlq", "retry", *agency, second)
    stats = benefits.rows("dlq", "stats", *agency)
    assert (stats["open"], stats["retried"], stats["dropped"], stats["oldest_open"]) == (0, 1, 1, None)
    assert benefits.rows("dlq", "list", *agency) == []


def test_what_cannot_be_done_is_said(benefits):
    """Which letters must be said, one way; a number that is not there, and an agency that is not, are named."""
    agency = ("--agency", str(benefits.agency))
    for wrong in ((), ("1", "--all"), ("--all", "--code", "x")):
        assert "say which letters" in benefits.refusal("dlq", "retry", *agency, *wrong)
    assert "has no letter 999999" in benefits.refusal("dlq", "retry", *agency, "999999")
    assert "has no letter 999999" in benefits.refusal("dlq", "show", *agency, "999999")
    assert "does not exist" in benefits.refusal("dlq", "list", "--agency", "UZ/GOV/nowhere/nothing")
    assert "expected e.g. 2026-11-22T10:00:00Z" in benefits.refusal("dlq", "list", *agency, "--since", "yesterday")


def test_a_range_is_delivered_again_to_one_group_and_once(benefits):
    """By offsets or by time, counted first, refused where nobody would read it, and not twice when said twice."""
    replay = ("topic", "replay", benefits.topic, "--agency", str(benefits.agency), "--group")
    assert "Kafka knows no group nobody" in benefits.refusal(*replay, "nobody", "--from", "1h")
    ranged = (*replay, benefits.group, "--partition", "0", "--offsets", "0-1")
    counted = benefits.rows(*ranged, "--dry-run")
    assert (counted["would_deliver"], counted["would_refuse"]) == (2, 0)
    told = benefits.rows(*ranged)
    assert (told["delivered"], told["refused"], told["delivered_before"]) == (2, 0, 0)
    twice = benefits.run(*ranged)
    assert twice.exit_code == 0
    assert "was done before" in twice.stderr
    insert = Insert()
    benefits.handle(insert, lambda: len(insert.taken) == 2)
    assert insert.taken == ["a", "b"]

    by_time = benefits.rows(*replay, benefits.group, "--from", "1h", "--id", "second")
    assert by_time["delivered"] == 4
    for wrong in ((), ("--partition", "0"), ("--from", "1h", "--partition", "0", "--offsets", "0-1")):
        assert "say which records" in benefits.refusal(*replay, benefits.group, *wrong)
    beyond = benefits.refusal(*replay, benefits.group, "--partition", "0", "--offsets", "0-99999")
    assert "has offsets 0 to" in beyond
    assert "is not in the directory" in benefits.refusal(
        "topic", "replay", "_schemas", "--agency", str(benefits.agency), "--group", benefits.group, "--from", "1h"
    )


def test_what_does_not_verify_is_shown_for_what_it_is(benefits):
    """A record with a header changed is decoded and said not to verify; noise is shown in hexadecimal."""
    agency = ("--agency", str(benefits.agency))
    benefits.forge(b"\x00\x01noise")
    benefits.publish("e")
    insert = Insert()
    benefits.handle(insert, lambda: "e" in insert.taken)
    listed = {row["code"]: str(row["number"]) for row in benefits.rows("dlq", "list", *agency)}
    noise = benefits.rows("dlq", "show", *agency, listed["seal_malformed"])
    assert (noise["verified"], noise["value_hex"], noise["key"]) == (False, b"\x00\x01noise".hex(), "0xff")
    moved = benefits.rows("dlq", "show", *agency, listed["inclusion_invalid"])
    assert (moved["verified"], moved["data"], moved["refused"]["step"]) == (False, {"code": "a"}, 7)
    told = benefits.run("dlq", "show", *agency, listed["inclusion_invalid"])
    assert "ce_dataschema" in told.stdout
