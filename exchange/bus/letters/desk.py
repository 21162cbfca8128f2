"""The desk where people decide what becomes of dead letters: deliver again, or drop, each with a sealed mark.

A letter and its mark are one transaction of the publisher `<agency>/dlq`. Starting fences whoever decides at the same
time, and reads every mark there is: so a letter is decided on once, and SIGKILL at any line leaves it either open, or
delivered and marked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from exchange.bus.letters.ledger import DROPPED, OPEN, RETRIED, Entry, Ledger, Selection, read_ledger
from exchange.bus.letters.letter import BYTES_PER_COMMIT, Case, Reason, letter_bytes, letter_of, letter_place, mark_of
from exchange.bus.letters.originals import Originals
from exchange.bus.letters.reading import Letter, parse_letter
from exchange.bus.letters.writers import Post
from exchange.bus.publishing.prepared import prepare
from exchange.envelope import Opener, Unsealed
from exchange.errors import SettingsError
from exchange.ids import PublisherId
from exchange.transport.kafka import Partition

PUBLISHER = "dlq"
"""The last part of the name under which letters are decided on."""

_STEP = 500


class DeadLetterDesk:
    """Decides on one agency's dead letters, as an async context manager.

    Raises on entering what a writer raises on its start, SettingsError (no dead-letter topic) and TransportError.
    `step`: how many letters are decided on in one transaction.
    """

    def __init__(self, post: Post, opener: Opener, *, step: int = _STEP) -> None:
        self._post = post
        self._opener = opener
        self._step = step
        self._publisher = PublisherId(post.agency, PUBLISHER)
        self._writer = post.writer(PUBLISHER)
        self._place = Partition(post.agency.dead_letter_topic, 0)
        self.ledger = Ledger()

    async def __aenter__(self) -> DeadLetterDesk:
        await self._writer.start()  # the fence: from here on nobody else marks anything
        try:
            post = self._post
            self.ledger = await read_ledger(post.bootstrap, post.agency, self._opener, post.clock, past_open=True)
        except BaseException:
            await self._writer.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.close()

    def select(self, selection: Selection, state: str) -> list[Entry]:
        """The open letters that are meant; those named by number must be there, and in no other state than `state`.

        Raises SettingsError for a number that is not there, or that another decision was made about.
        """
        for number in sorted(selection.numbers):
            entry = self.ledger.entries.get(number)
            if entry is None:
                raise SettingsError(f"{self._place.topic} has no letter {number}: `exchange dlq list` shows which")
            if entry.state not in (OPEN, state):
                raise SettingsError(f"letter {number} is {entry.state} already: `exchange dlq show` says by whom")
        return list(self.ledger.select(replace(selection, states=frozenset({OPEN}))))

    async def retry(self, entries: Sequence[Entry]) -> AsyncIterator[Entry]:
        """Deliver again to the group that each letter is for, at once; each as it is durable.

        Raises SettingsError where one cannot be (`require_deliverable`), before any is.
        """
        for entry in entries:
            require_deliverable(entry)
        async for done in self._decide(entries, self._again):
            yield done

    async def drop(self, entries: Sequence[Entry], reason: str) -> AsyncIterator[Entry]:
        """Mark as dropped, with a reason; each as it is durable."""

        def dropped(letter: Letter) -> list[Unsealed]:
            return [self._mark(letter, DROPPED, reason)]

        async for done in self._decide(entries, dropped):
            yield done

    async def _decide(
        self, entries: Sequence[Entry], decided: Callable[[Letter], list[Unsealed]]
    ) -> AsyncIterator[Entry]:
        records: list[Unsealed] = []
        done: list[Entry] = []
        async with Originals(self._post.bootstrap, self._place) as originals:
            for entry in entries:
                record = await originals.fetch(entry.letter.number)
                if record is None:  # expired since it was listed
                    continue
                records += decided(parse_letter(record))
                done.append(entry)
                if len(done) == self._step or sum(map(letter_bytes, records)) > BYTES_PER_COMMIT:
                    await self._writer.commit(list(map(prepare, records)), {}, None)
                    for each in done:
                        yield each
                    records, done = [], []
        if done:
            await self._writer.commit(list(map(prepare, records)), {}, None)
        for each in done:
            yield each

    def _again(self, letter: Letter) -> list[Unsealed]:
        assert letter.record is not None  # noqa: S101  (`require_deliverable` held)
        origin = letter_place(*self._place, letter.number)
        reason = Reason(letter.code, letter.step, letter.message)
        case = Case(reason, letter.group or "", letter.attempts, letter.handler, origin=origin)
        now, topic = self._post.clock.now(), self._post.agency.redelivery_topic
        again = letter_of(self._publisher, topic, letter.record, case, now)
        return [again, self._mark(letter, RETRIED, "")]

    def _mark(self, letter: Letter, state: str, reason: str) -> Unsealed:
        fingerprint = self._post.signer.public.fingerprint
        return mark_of(self._publisher, letter.number, state, reason, fingerprint, self._post.clock.now())


def require_deliverable(entry: Entry) -> None:
    """Raises SettingsError where a letter cannot be delivered again, saying why and what would be right."""
    number = entry.letter.number
    if entry.letter.group is None:
        raise SettingsError(f"letter {number} is of a row that never became an event: correct the row, then drop this")
    if not entry.is_whole:
        raise SettingsError(
            f"letter {number} does not hold its record ({entry.letter.cut}): it cannot be delivered again, only dropped"
        )
