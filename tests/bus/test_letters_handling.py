"""Handlers: attempts in place, back-off topics, dead letters, and an outage that fills neither."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from exchange.bus.letters.policy import RetryPolicy
from exchange.clock import parse_time, to_unix_millis
from exchange.errors import DatabaseUnavailable, TransportError, ValueInvalid
from tests.fakes.bus_world import publish, raw_records
from tests.fakes.handling_world import QUICK, Away, dead, handle_until, letters_on


def number(event):
    """What a test's event says."""
    return event.data["n"]


class Failing:
    """A handler that fails on some events, a number of times each (None: always); notes every call."""

    def __init__(self, error, times):
        self.error = error
        self.left = dict(times)
        self.calls = []
        self.taken = []

    async def __call__(self, event):
        n = number(event)
        self.calls.append(n)
        if n in self.left and self.left[n] != 0:
            if self.left[n] is not None:
                self.left[n] -= 1
            raise self.error()
        self.taken.append(n)


async def test_events_are_handled_in_order_by_coroutines_and_by_functions(world):
    """Each event is given to the handler once, in its partition's order, whichever kind of function it is."""
    await publish(world, range(20))
    plain, told = [], []

    async def told_later(event):
        await asyncio.sleep(0)
        told.append(number(event))

    await handle_until(world, lambda event: plain.append(number(event)), lambda: len(plain) == 20, group="plain")
    await handle_until(world, told_later, lambda: len(told) == 20, group="told")
    assert plain == told == list(range(20))


async def test_a_failure_that_passes_is_tried_again_in_place(world):
    """A retriable error is met by another attempt before the next event; nothing is set aside."""
    await publish(world, range(3))
    handler = Failing(lambda: TransportError("away"), {1: 1})
    await handle_until(world, handler, lambda: len(handler.taken) == 3)
    assert handler.calls == [0, 1, 1, 2]
    assert await raw_records(world, world.social.retry_topics[0]) == []


async def test_a_failure_that_will_not_pass_is_a_dead_letter_at_once(world):
    """One attempt, one dead letter with the record whole, the handler's name and nothing the exception said."""
    await publish(world, range(3))
    handler = Failing(lambda: ValueError("12345678901234 is no number"), {1: None})
    await handle_until(world, handler, lambda: len(handler.taken) == 2)
    [letter] = await dead(world)
    assert handler.calls == [0, 1, 2]
    assert (letter.code, letter.step, letter.attempts, letter.handler) == ("handler_failed", 0, 1, "insert")
    assert (letter.group, letter.topic, letter.offset) == (world.group("handled"), world.topic, 1)
    assert letter.message == "the handler raised ValueError"
    original = (await raw_records(world, world.topic))[1]
    kept = letter.record
    assert (kept.key, kept.value, list(kept.headers)) == (original.key, original.value, list(original.headers))
    assert kept.timestamp == original.timestamp


async def test_our_own_errors_say_why_in_the_dead_letter(world):
    """An error of the exchange is kept with its code and its message."""
    await publish(world, [7])
    handler = Failing(lambda: ValueInvalid("district: no such code"), {7: None})
    await handle_until(world, handler, lambda: dead(world))
    [letter] = await dead(world)
    assert (letter.code, letter.message) == ("value_invalid", "district: no such code")


async def test_a_retriable_failure_passes_through_the_back_off_topics_in_order(world):
    """10s, 1m, 10m, then the dead letters: attempts are counted on, and the events behind it are not held up."""
    await publish(world, range(4))
    handler = Failing(lambda: DatabaseUnavailable("locked"), {1: None})
    await handle_until(world, handler, lambda: dead(world))
    assert handler.taken == [0, 2, 3]
    found = [(await letters_on(world, topic))[0] for topic in world.social.retry_topics]
    assert [each.attempts for each in found] == [2, 4, 6]
    kept = [dict((await raw_records(world, topic))[0].headers)["ce_time"] for topic in world.social.retry_topics]
    moments = [to_unix_millis(parse_time(each.decode())) for each in kept]
    assert [each.due - moment for each, moment in zip(found, moments, strict=True)] == [100, 200, 300]
    [letter] = await dead(world)
    assert (letter.attempts, letter.code, letter.due) == (8, "database_unavailable", 0)
    assert letter.origin == f"{world.social.retry_topics[2]}/0/{found[2].number}"
    assert letter.record == found[0].record


async def test_a_retried_event_is_the_event_that_was_published(world):
    """It is verified anew and comes with its own topic, partition, offset, id and data, not before it is due."""
    await publish(world, range(2))
    seen = []

    async def handler(event):
        seen.append((event, world.clock.now()))
        if len([each for each, _ in seen if number(each) == 1]) <= 2:
            raise DatabaseUnavailable("locked") if number(event) == 1 else AssertionError

    async def zero_passes(event):
        if number(event) == 0:
            seen.append((event, world.clock.now()))
        else:
            await handler(event)

    await handle_until(world, zero_passes, lambda: len(seen) == 4)
    first, again = seen[1][0], seen[3][0]
    assert again == first
    assert (again.topic, again.offset) == (world.topic, 1)
    [letter] = await letters_on(world, world.social.retry_topics[0])
    assert seen[3][1].timestamp() * 1000 >= letter.due


async def test_exceptions_that_the_user_names_may_pass(world):
    """What counts as retriable is the policy's to say; other exceptions are not tried again."""

    class LockedError(Exception):
        pass

    await publish(world, range(2))
    handler = Failing(LockedError, {0: 1})
    policy = replace(QUICK, retriable=(LockedError,))
    await handle_until(world, handler, lambda: len(handler.taken) == 2, policy=policy)
    assert handler.calls == [0, 0, 1]


def test_connections_and_timeouts_may_pass_unless_told_otherwise():
    """Without a word from the user, errors of the network may pass, and programming errors do not."""
    policy = RetryPolicy()
    assert all(policy.is_retriable(each) for each in (ConnectionResetError(), TimeoutError(), TransportError("x")))
    assert not any(policy.is_retriable(each) for each in (KeyError("x"), ValueError(), ValueInvalid("x")))


async def test_one_group_alone_sees_what_it_failed_on(world):
    """Another group of the same agency is given each event once, and none of the first group's letters."""
    await publish(world, range(3))
    failing, other = Failing(lambda: DatabaseUnavailable("locked"), {1: 2}), []
    await handle_until(world, failing, lambda: len(failing.taken) == 3, group="one")

    async def take(event):
        other.append(number(event))

    await handle_until(world, take, lambda: len(other) == 3, group="other")
    await publish(world, [3])
    await handle_until(world, take, lambda: len(other) == 4, group="other")
    assert other == [0, 1, 2, 3]
    assert sorted(failing.taken) == [0, 1, 2]


async def test_an_outage_pauses_and_sets_nothing_aside(world, sample):
    """Where every record fails the same way the group waits; then all are handled, in order, none kept as a letter."""
    await publish(world, range(30))
    handler = Away()
    policy = replace(QUICK, outage_after=4)
    group = world.group("handled")

    def waits():
        if sample("exchange_handler_paused", group=group) == 1 and len(handler.calls) > 14:
            handler.is_back = True
        return len(handler.taken) == 30

    await handle_until(world, handler, waits, policy=policy)
    assert handler.taken == list(range(30))
    for topic in world.social.own_topics:
        assert await raw_records(world, topic) == []
    assert sample("exchange_handler_pauses_total", group=group, code="transport") == 1
    assert sample("exchange_handler_paused", group=group) == 0


async def test_an_outage_probes_one_record_at_a_time(world):
    """While a group waits, the calls of its handler grow by two a probe, the first record's and another one's."""
    await publish(world, range(50))
    handler = Away()
    policy = replace(QUICK, attempts=1, outage_after=3)

    def probed():
        handler.is_back = len(handler.calls) >= 13
        return len(handler.taken) == 50

    await handle_until(world, handler, probed, policy=policy)
    assert handler.calls[:13] == [0, 1, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7]
    assert handler.taken == list(range(50))


async def test_an_outage_holds_its_records_also_when_nothing_else_is_left_to_try(world):
    """With no other record to probe with, those that failed are tried in turn until one succeeds; then all, once."""
    await publish(world, range(3))
    handler = Away()

    def probed():
        handler.is_back = len(handler.calls) >= 14
        return len(handler.taken) == 3

    await handle_until(world, handler, probed, policy=replace(QUICK, attempts=1, outage_after=3))
    assert handler.calls[:13] == [0, 1, 2, 0, 1, 0, 2, 0, 1, 0, 2, 0, 1]
    assert sorted(handler.taken) == [0, 1, 2]
    for topic in world.social.own_topics:
        assert await raw_records(world, topic) == []


async def test_records_that_fail_in_a_row_are_not_an_outage_once_another_succeeds(world):
    """Poison in a row is found out by the first record that succeeds: it is set aside, and nothing is held up."""
    await publish(world, range(12))
    poison = dict.fromkeys(range(2, 8))
    handler = Failing(lambda: KeyError("x"), poison)
    await handle_until(world, handler, lambda: len(handler.taken) == 6, policy=replace(QUICK, outage_after=3))
    assert sorted(handler.taken) == [0, 1, 8, 9, 10, 11]
    assert [letter.offset for letter in await dead(world)] == list(range(2, 8))


async def test_poison_at_the_end_of_a_batch_does_not_hold_its_partition(world):
    """Records that are at fault by their own account are set aside with their batch, however many fail in a row."""
    await publish(world, range(6))
    handler = Failing(lambda: KeyError("x"), dict.fromkeys(range(6)))
    policy = replace(QUICK, outage_after=3)

    async def all_dead():
        return len(await dead(world)) == 6

    await handle_until(world, handler, all_dead, policy=policy)
    await publish(world, [6])
    await handle_until(world, handler, lambda: handler.taken == [6], policy=policy)


async def test_one_record_that_keeps_coming_back_is_no_outage(world):
    """A lone event failing on every back-off topic is one record, not many: it ends as a dead letter."""
    await publish(world, [0])
    handler = Failing(lambda: DatabaseUnavailable("locked"), {0: None})
    await handle_until(world, handler, lambda: dead(world), policy=replace(QUICK, outage_after=3))
    assert handler.calls == [0] * 8


async def test_stopping_in_an_outage_loses_nothing(world):
    """A process that is stopped while it waits sets nothing aside and commits nothing: the events come again."""
    await publish(world, range(8))
    away = Away()
    policy = replace(QUICK, outage_after=3)
    await handle_until(world, away, lambda: len(away.calls) > 10, policy=policy)
    back = Away()
    back.is_back = True
    await handle_until(world, back, lambda: len(back.taken) == 8, policy=policy)
    assert back.taken == list(range(8))


async def test_attempts_retries_and_dead_letters_are_counted(world, sample):
    """Each call by outcome, each move by topic, group and code."""
    await publish(world, range(3))
    handler = Failing(lambda: DatabaseUnavailable("locked"), {1: None})
    await handle_until(world, handler, lambda: dead(world))
    labels = {"topic": world.topic, "group": world.group("handled")}
    assert sample("exchange_handler_attempts_total", outcome="ok", **labels) == 2
    assert sample("exchange_handler_attempts_total", outcome="failed", **labels) == 8
    for name in ("retries-10s", "retries-1m", "retries-10m"):
        assert sample("exchange_retries_total", retry=name, code="database_unavailable", **labels) == 1
    assert sample("exchange_dead_letters_total", topic=world.topic, code="database_unavailable") == 1
