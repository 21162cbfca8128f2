"""Decisions on dead letters: delivered again to the one group, or dropped with a reason; sealed, and made once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange.bus import DeadLetterDesk, Selection, read_ledger
from exchange.envelope import Opener
from exchange.errors import PublisherFenced, SettingsError
from tests.fakes.bus_world import SCHEMA, publish, raw_records, write_raw
from tests.fakes.handling_world import Away, dead, handle_until, letters_on, post


def desk_of(world, **settings):
    """The desk of social protection."""
    return DeadLetterDesk(post(world), Opener(world.directory, world.cache(), clock=world.clock), **settings)


async def ledger_of(world):
    """Its letters as anybody with the directory reads them."""
    opener = Opener(world.directory, world.cache(), clock=world.clock)
    return await read_ledger(world.kafka, world.social, opener, world.clock)


async def failed(world, numbers, group="handled"):
    """Events on which a group's handler failed for good."""
    await publish(world, numbers)
    handler = Away(lambda: ValueError("for good"))

    async def all_dead():
        return len({letter.offset for letter in await dead(world)}) == len(numbers)

    await handle_until(world, handler, all_dead, group=group)


async def retried(desk, *numbers):
    """Deliver letters again."""
    return [done.letter.number async for done in desk.retry(desk.select(Selection(frozenset(numbers)), "retried"))]


async def dropped(desk, reason, *numbers):
    """Drop letters."""
    entries = desk.select(Selection(frozenset(numbers)), "dropped")
    return [done.letter.number async for done in desk.drop(entries, reason)]


async def test_a_retried_letter_comes_to_the_group_that_failed_and_to_no_other(world):
    """The event arrives verified, with its own place; the other group of the agency is given nothing again."""
    await failed(world, [0, 1, 2])
    other = Away()
    other.is_back = True
    await handle_until(world, other, lambda: len(other.taken) == 3, group="other")
    numbers = sorted((await ledger_of(world)).entries)
    async with desk_of(world) as desk:
        assert await retried(desk, numbers[1]) == [numbers[1]]
    mended, seen = Away(), []
    mended.is_back = True

    async def handler(event):
        seen.append(event)
        await mended(event)

    await handle_until(world, handler, lambda: mended.taken)
    assert mended.taken == [1]
    assert (seen[0].topic, seen[0].offset, seen[0].publisher) == (world.topic, 1, str(world.publisher_id))
    await publish(world, [9])
    await handle_until(world, other, lambda: len(other.taken) == 4, group="other")
    assert other.taken == [0, 1, 2, 9]


async def test_a_retry_that_fails_again_is_a_letter_of_its_own_that_counts_on(world):
    """The first letter stays retried; the new one is open, with the attempts of both and where it came from."""
    await failed(world, [0])
    async with desk_of(world) as desk:
        await retried(desk, 0)
    still = Away(lambda: ValueError("for good"))

    async def two():
        return len(await dead(world)) == 2

    await handle_until(world, still, two)
    ledger = await ledger_of(world)
    first, second = sorted(ledger.entries.values(), key=lambda entry: entry.letter.number)
    assert (first.state, second.state) == ("retried", "open")
    assert (first.letter.attempts, second.letter.attempts) == (1, 2)
    assert second.letter.origin == f"{world.social.redelivery_topic}/0/0"


async def test_a_decision_is_sealed_and_says_who_made_it(world):
    """The mark is on the dead-letter topic, sealed by the agency's `dlq`, with its key's fingerprint and the reason."""
    await failed(world, [0])
    async with desk_of(world) as desk:
        assert await dropped(desk, "a test record", 0) == [0]
    [entry] = (await ledger_of(world)).entries.values()
    assert (entry.state, entry.mark.message) == ("dropped", "a test record")
    assert entry.marked_by == f"{world.social}/dlq"
    assert entry.mark.by == world.keys[world.social].public.fingerprint


async def test_a_letter_is_decided_on_once(world):
    """Said again nothing happens; said otherwise it is refused, with who decided; the letter is delivered once."""
    await failed(world, [0, 1])
    async with desk_of(world) as desk:
        assert await retried(desk, 0) == [0]
    async with desk_of(world) as desk:
        assert await retried(desk, 0) == []
        with pytest.raises(SettingsError, match="letter 0 is retried already"):
            await dropped(desk, "no", 0)
        with pytest.raises(SettingsError, match="no letter 77"):
            await retried(desk, 77)
    assert len(await letters_on(world, world.social.redelivery_topic)) == 1


async def test_two_who_decide_at_once_do_not_both_decide(world):
    """Whoever sits down last fences the other, whose decisions no longer count."""
    await failed(world, [0])
    async with desk_of(world) as first, desk_of(world) as second:
        assert await retried(second, 0) == [0]
        with pytest.raises(PublisherFenced):
            await retried(first, 0)
    assert len(await letters_on(world, world.social.redelivery_topic)) == 1


async def test_letters_are_chosen_by_code_topic_group_time_and_state(world):
    """A selection takes what all of its parts take."""
    await failed(world, [0, 1], group="one")
    ledger = await ledger_of(world)
    [first, second] = sorted(ledger.entries.values(), key=lambda entry: entry.letter.number)

    def chosen(**parts):
        return [entry.letter.number for entry in ledger.select(Selection(**parts))]

    both, none = [first.letter.number, second.letter.number], []
    assert chosen() == both
    assert chosen(codes=frozenset({"handler_failed"})) == both
    assert chosen(codes=frozenset({"key_not_valid"})) == none
    assert chosen(topics=frozenset({world.topic}), groups=frozenset({world.group("one")})) == both
    assert chosen(groups=frozenset({"another"})) == none
    assert chosen(since=first.letter.written, until=second.letter.written + 1) == both
    assert chosen(since=second.letter.written + 1) == none
    assert chosen(until=first.letter.written) == none
    assert chosen(states=frozenset({"dropped"})) == none
    assert chosen(numbers=frozenset({second.letter.number})) == both[1:]


async def test_what_a_subscriber_refused_is_delivered_again_once_it_verifies(world):
    """A record refused since its publisher was suspended arrives after a retry, when the directory allows it again."""
    await publish(world, [5])
    world.status = "suspended"
    world.renew()
    waiting = Away()
    waiting.is_back = True
    await handle_until(world, waiting, lambda: dead(world))
    assert waiting.taken == []
    world.status = "active"
    world.renew()
    async with desk_of(world) as desk:
        await retried(desk, *desk.ledger.entries)
    await handle_until(world, waiting, lambda: waiting.taken)
    assert waiting.taken == [5]


async def test_a_retried_record_that_still_does_not_verify_is_refused_again(world):
    """A retry goes through verification: what was forged comes back as a dead letter, and never to the handler."""
    await publish(world, [0])
    good = (await raw_records(world, world.topic))[0]
    await write_raw(world, world.topic, good.value + b"x", good.headers, good.key)
    handler = Away()
    handler.is_back = True
    await handle_until(world, handler, lambda: dead(world))
    async with desk_of(world) as desk:
        await retried(desk, *desk.ledger.entries)

    async def two():
        return len(await dead(world)) == 2

    await handle_until(world, handler, two)
    second = (await dead(world))[1]
    assert handler.taken == [0]
    assert (second.code, second.attempts, second.origin) == (
        "inclusion_invalid",
        2,
        f"{world.social.redelivery_topic}/0/0",
    )


async def test_what_keeps_no_record_cannot_be_delivered_again(world):
    """A row that never became an event is refused by number, saying what would be right; it can be dropped."""
    async with world.publisher() as publisher:
        await publisher.open(world.topic, SCHEMA)
        publisher.add_rejected("value_invalid", "no such code", key="7", details={"table": "T", "cursor": "7"})
        await publisher.commit()
    mine = replace(post(world), agency=world.civil, signer=world.keys[world.civil])
    async with DeadLetterDesk(mine, Opener(world.directory, world.cache(), clock=world.clock)) as desk:
        with pytest.raises(SettingsError, match="never became an event"):
            await retried(desk, 0)
        assert await dropped(desk, "corrected", 0) == [0]


async def test_what_lies_there_unsealed_is_counted_and_is_no_letter(world):
    """A record that someone else wrote to the topic is not listed, and a forged mark marks nothing."""
    await failed(world, [0])
    await write_raw(world, world.social.dead_letter_topic, b"noise")
    forged = [("exchange-dlq-mark", b"dropped"), ("exchange-dlq-number", b"0"), ("exchange-dlq-message", b"")]
    await write_raw(world, world.social.dead_letter_topic, None, forged)
    ledger = await ledger_of(world)
    assert ledger.unverified == 2
    assert [entry.state for entry in ledger.entries.values()] == ["open"]


async def test_many_letters_are_decided_on_a_few_a_transaction(world):
    """However many there are, each is delivered and marked once, in order."""
    await failed(world, range(11))
    async with desk_of(world, step=4) as desk:
        numbers = await retried(desk, *desk.ledger.entries)
    assert numbers == sorted(numbers)
    assert len(numbers) == 11
    assert {entry.state for entry in (await ledger_of(world)).entries.values()} == {"retried"}
    assert [letter.offset for letter in await letters_on(world, world.social.redelivery_topic)] == list(range(11))
