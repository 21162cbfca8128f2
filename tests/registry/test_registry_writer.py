"""The one writer: what shares a transaction, what becomes of writes that fail, and who leads."""

import asyncio
import json
from contextlib import suppress

import pytest

from exchange.errors import PublisherFenced, RecordTooLarge, SchemaIncompatible, SchemaInvalid, TransportError
from exchange.registry import RegistryService
from exchange.registry.entities import LATEST
from exchange.registry.state import State
from exchange.registry.writer import Writer
from tests.fakes.schema_store import LARGEST, MemoryLog, MemorySchemaStore
from tests.registry.conftest import BAD, SUBJECT, V1, V2, schema
from tests.registry.registries import level, registered, sent, started, written


class CountingStore(MemorySchemaStore):
    """Notes how many records each transaction had; holds appends back while `gate` is closed."""

    def __init__(self, log=None):
        super().__init__(log)
        self.transactions = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.appending = asyncio.Event()

    async def append(self, records):
        """Write, once the gate is open."""
        self.appending.set()
        await self.gate.wait()
        offset = await super().append(records)
        self.transactions.append(len(records))
        return offset


@pytest.fixture
def store():
    """A store that counts."""
    return CountingStore()


@pytest.fixture
async def leading(service, store):
    """The registry, leading already."""
    await service.claim()
    store.transactions.clear()
    return service


def schemas(count):
    """Different schemas."""
    return [sent(schema("a", name=f"uz.R{number}")) for number in range(count)]


def subjects(count):
    """Different subjects."""
    return [f"s{number}-value" for number in range(count)]


async def test_writes_that_wait_together_share_a_transaction(leading, store):
    """Eight subjects, one commit; each answer names what was committed."""
    made = await asyncio.gather(*map(leading.register, subjects(8), schemas(8)))
    assert store.transactions == [8]
    assert [each.id for each in made] == list(range(1, 9))
    assert [leading.version(each.subject, 1) for each in made] == made


async def test_two_writes_of_one_subject_are_two_transactions(leading, store):
    """The second is decided in the light of the first."""
    first, second = await asyncio.gather(leading.register(SUBJECT, sent(V1)), leading.register(SUBJECT, sent(V2)))
    assert store.transactions == [1, 1]
    assert {(first.version, first.id), (second.version, second.id)} == {(1, 1), (2, 2)}


async def test_the_second_of_two_that_break_with_each_other_is_refused(leading):
    """Whichever comes first: no two versions are incompatible because they came at once."""
    made = await asyncio.gather(
        leading.register(SUBJECT, sent(V1)), leading.register(SUBJECT, sent(BAD)), return_exceptions=True
    )
    assert sorted(map(type, made), key=str) == sorted([type(leading.version(SUBJECT, 1)), SchemaIncompatible], key=str)
    assert leading.versions(SUBJECT) == [1]


async def test_a_deletion_is_alone_in_its_transaction(leading, store):
    """What concerns every subject is decided with all before it applied, and nothing after it."""
    await registered(leading, SUBJECT, V1)
    store.transactions.clear()
    texts = schemas(4)
    await asyncio.gather(
        leading.register("a-value", texts[0]),
        leading.register("b-value", texts[1]),
        leading.delete_subject(SUBJECT),
        leading.register("c-value", texts[2]),
        leading.register("d-value", texts[3]),
    )
    assert sum(store.transactions) == 5
    assert 1 in store.transactions
    assert leading.subjects() == ["a-value", "b-value", "c-value", "d-value"]


async def test_a_transaction_has_a_limit(leading, store):
    """However many wait, a commit stays small enough."""
    await asyncio.gather(*map(leading.register, subjects(150), schemas(150)))
    assert sum(store.transactions) == 150
    assert max(store.transactions) == 64


async def test_equal_schemas_in_one_transaction_share_an_id(leading, store):
    """The second waits for the id of the first."""
    made = await asyncio.gather(*(leading.register(each, sent(V1)) for each in subjects(5)))
    assert {each.id for each in made} == {1}
    assert len(written(store.log)) == 5


async def test_a_refused_write_leaves_the_others_of_its_transaction(leading, store):
    """What one decision raises is its caller's."""
    await registered(leading, SUBJECT, V1)
    store.transactions.clear()
    good, gone, other = await asyncio.gather(
        leading.register("a-value", schemas(1)[0]),
        leading.register(SUBJECT, sent(V2, version=7)),
        leading.register("b-value", sent(V2)),
        return_exceptions=True,
    )
    assert (good.id, other.version) == (2, 1)
    assert isinstance(gone, SchemaInvalid)
    assert store.transactions == [2]


async def test_a_too_large_write_is_refused_alone(leading, store):
    """The others that waited with it are committed."""
    large = sent(json.dumps({"type": "record", "name": "uz.L", "doc": "x" * LARGEST, "fields": []}))
    made = await asyncio.gather(
        leading.register("a-value", sent(V1)),
        leading.register("large-value", large),
        leading.register("b-value", sent(V2)),
        return_exceptions=True,
    )
    assert isinstance(made[1], RecordTooLarge)
    assert leading.subjects() == ["a-value", "b-value"]
    assert leading.version("a-value", 1).id != leading.version("b-value", 1).id
    assert (await leading.register("c-value", schemas(1)[0])).id == 3


@pytest.mark.parametrize("there", [False, True])
async def test_a_write_whose_outcome_is_unknown_is_settled(service, store, there):
    """Whether the record was written or not, the answer is its id, and it is there once."""
    await service.claim()
    store.fail_next = there
    assert (await service.register(SUBJECT, sent(V1))).id == 1
    assert (await service.register(SUBJECT, sent(V2))).id == 2
    assert [service.version(SUBJECT, each).id for each in service.versions(SUBJECT)] == [1, 2]
    assert len(written(store.log)) == 2


@pytest.mark.parametrize("there", [False, True])
async def test_a_deletion_whose_outcome_is_unknown_is_answered_as_done(leading, store, there):
    """It is not refused because it was done already: by itself."""
    await registered(leading, SUBJECT, V1, V2)
    await registered(leading, "other-value", V1)
    store.fail_next = there
    assert await leading.delete_version(SUBJECT, 1) == 1
    store.fail_next = there
    assert await leading.delete_version(SUBJECT, 1, permanent=True) == 1
    store.fail_next = there
    assert await leading.delete_subject("other-value") == [1]
    store.fail_next = there
    assert await leading.delete_subject("other-value", permanent=True) == [1]
    assert leading.subjects(deleted=True) == [SUBJECT]


@pytest.mark.parametrize("there", [False, True])
async def test_deleting_the_newest_version_deletes_one_version_though_the_outcome_was_unknown(leading, store, there):
    """Done again it would take the version before, which nobody asked for."""
    await registered(leading, SUBJECT, V1, V2)
    store.fail_next = there
    assert await leading.delete_version(SUBJECT, LATEST) == 2
    assert leading.versions(SUBJECT) == [1]


@pytest.mark.parametrize("there", [False, True])
async def test_a_setting_whose_outcome_is_unknown_is_set_and_taken_back(leading, store, there):
    """Setting it twice is setting it; taking it back says what it was."""
    store.fail_next = there
    assert (await leading.set_config(SUBJECT, level("FULL"))).compatibility_level == "FULL"
    store.fail_next = there
    assert (await leading.delete_config(SUBJECT)).compatibility_level == "FULL"
    store.fail_next = there
    assert await leading.set_mode(SUBJECT, "readonly") == leading.mode(SUBJECT) == "READONLY"
    store.fail_next = there
    assert await leading.delete_mode(SUBJECT) == "READONLY"


@pytest.mark.parametrize("there", [False, True])
async def test_after_two_failures_the_error_is_the_callers(there):
    """No id is given twice and nothing is registered twice by whoever tries again."""

    class Failing(MemorySchemaStore):
        failures = 0

        async def append(self, records):
            if self.failures:
                self.failures -= 1
                self.fail_next = there
            return await super().append(records)

    store = Failing()
    service = RegistryService(store)
    await service.start()
    await service.claim()
    store.failures = 2
    with suppress(TransportError):
        await service.register(SUBJECT, sent(V1))
    assert (await service.register(SUBJECT, sent(V1))).id == 1
    assert len(written(store.log)) == 1
    await service.close()


async def test_a_caller_that_goes_away_harms_nobody(leading, store):
    """What was committed stays; the others of its transaction get their answers; the next write goes on."""
    store.gate.clear()
    store.appending.clear()
    texts = schemas(3)
    writes = [asyncio.create_task(leading.register(*each)) for each in zip(subjects(3), texts, strict=True)]
    await store.appending.wait()
    writes[1].cancel()
    store.gate.set()
    made = await asyncio.gather(*writes, return_exceptions=True)
    assert (made[0].id, made[2].id) == (1, 3)
    assert isinstance(made[1], asyncio.CancelledError)
    assert leading.version("s1-value", 1).id == 2
    assert (await leading.register("s3-value", texts[1])).id == 2


async def test_a_caller_that_goes_away_before_its_turn_writes_nothing(leading, store):
    """Nobody waits for the answer any more."""
    store.gate.clear()
    store.appending.clear()
    first = asyncio.create_task(leading.register(SUBJECT, sent(V1)))
    await store.appending.wait()
    second = asyncio.create_task(leading.delete_subject(SUBJECT))
    await asyncio.sleep(0)
    second.cancel()
    store.gate.set()
    await first
    await registered(leading, "other-value", V1)
    assert leading.versions(SUBJECT) == [1]


async def test_a_write_claims_leadership_where_nobody_leads(service, store):
    """The announcement stands in the topic before the first record."""
    assert (service.leader, service.leads) == (None, False)
    await registered(service, SUBJECT, V1)
    assert service.leads
    assert store.log.records[0][0] == b'{"keytype":"NOOP","magic":0}'
    assert service.written == len(store.log.records) - 1


async def test_every_replica_knows_who_leads():
    """The one that claimed last, by its URL."""
    log = MemoryLog()
    first, second = await started(log, url="http://first"), await started(log, url="http://second")
    await first.claim()
    assert (first.leader, second.leader) == ("http://first", "http://first")
    assert (first.leads, second.leads) == (True, False)
    await second.claim()
    assert (first.leader, second.leader) == ("http://second", "http://second")
    assert (first.leads, second.leads) == (False, True)


async def test_a_registry_that_was_taken_over_becomes_a_follower():
    """It ends no more: it refuses the writes that wait, and goes on to answer from what the other writes."""
    log = MemoryLog()
    first, second = await started(log, url="http://first"), await started(log, url="http://second")
    await registered(first, SUBJECT, V1)
    log.writer = None  # the other has fenced, and has not announced itself yet
    waiting = [first.register("a-value", sent(V1)), first.register("b-value", sent(V2)), first.delete_subject(SUBJECT)]
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in refused} == {PublisherFenced}
    assert not first.leads
    await second.claim()
    assert (await second.register(SUBJECT, sent(V2))).id == 2
    assert first.versions(SUBJECT) == [1, 2]
    assert first.not_ready() is None


@pytest.mark.parametrize("there", [False, True])
async def test_a_replica_taken_over_in_the_middle_of_a_write_knows_whether_it_is_there(there):
    """Then it answers it; else it is fenced, and whoever passes the write on has it done once."""
    log = MemoryLog()

    class Overtaken(MemorySchemaStore):
        by = None

        async def append(self, records):
            if self.by is None:
                return await super().append(records)
            other, self.by, self.fail_next = self.by, None, there
            try:
                return await super().append(records)
            finally:
                await other.claim()

    store = Overtaken(log)
    first = RegistryService(store, url="http://first", alone=False)
    await first.start()
    second = await started(log, url="http://second", alone=False)
    await first.claim()
    await registered(first, SUBJECT, V1, V2)
    store.by = second
    if there:
        assert await first.delete_version(SUBJECT, LATEST) == 2
        assert second.versions(SUBJECT) == [1]
    else:
        with pytest.raises(PublisherFenced):
            await first.delete_version(SUBJECT, LATEST)
        assert second.versions(SUBJECT) == [1, 2]
    assert (first.leader, first.leads, second.leads) == ("http://second", False, True)


async def test_a_replica_writes_only_once_it_was_told_to_lead():
    """Alone it claims by itself; among others that is for whoever passes writes on."""
    service = await started(url="http://first", alone=False)
    with pytest.raises(PublisherFenced):
        await service.register(SUBJECT, sent(V1))
    await service.claim()
    assert (await service.register(SUBJECT, sent(V1))).id == 1


async def test_a_registry_that_was_taken_over_claims_anew_when_it_is_asked_to_write():
    """Who sends a write to a follower wants it to lead; ids go on where the other left off."""
    log = MemoryLog()
    first, second = await started(log, url="http://first"), await started(log, url="http://second")
    await registered(first, "a-value", V1)
    await registered(second, "b-value", V2)
    assert not first.leads
    assert (await first.register("c-value", schemas(1)[0])).id == 3
    assert first.leads
    assert not second.leads


async def test_a_write_that_waits_when_the_registry_stops_is_refused(leading, store):
    """The transaction under way is finished; what waits behind it is not begun."""
    store.gate.clear()
    store.appending.clear()
    first = asyncio.create_task(leading.register(SUBJECT, sent(V1)))
    await store.appending.wait()
    second = asyncio.create_task(leading.delete_subject(SUBJECT))
    await asyncio.sleep(0)
    closing = asyncio.create_task(leading.close())
    await asyncio.sleep(0)
    store.gate.set()
    await closing
    assert (await first).id == 1
    with suppress(TransportError):
        await second
    with pytest.raises(TransportError) as refused:
        await leading.register("late-value", sent(V2))
    assert refused.value.code == "registry_not_ready"


async def test_an_error_that_nobody_foresaw_ends_its_writes_only(leading, store, monkeypatch):
    """The writer goes on."""

    class Broken(Exception):
        pass

    async def broken(records):
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", broken)
        with pytest.raises(Broken):
            await leading.register(SUBJECT, sent(V1))
    assert (await leading.register(SUBJECT, sent(V1))).id == 1


async def test_a_decision_that_fails_unforeseen_is_its_senders_alone():
    """Whoever shares the transaction is served all the same."""

    def fails(_batch):
        raise ZeroDivisionError

    def writes(batch):
        batch.records.append((b"{}", b"{}"))
        return 7

    store, state = MemorySchemaStore(), State()
    await store.start(state.apply)
    writer = Writer(store, state, "")
    writer.start()
    failing = asyncio.ensure_future(writer.submit("broken", fails))
    assert await writer.submit("s", writes) == 7
    with pytest.raises(ZeroDivisionError):
        await failing
    await writer.close()
