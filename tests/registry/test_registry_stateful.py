"""The registry against a small model, over whatever people do to it, with restarts and compaction in between."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchange.errors import ExchangeError, SchemaNotFound
from exchange.registry import RegistryService
from exchange.registry.entities import LATEST
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore
from tests.registry.conftest import schema
from tests.registry.registries import OTHER, USES_OTHER, compacted, level, sent, to_other, with_properties

SUBJECTS = st.sampled_from(["a", "b", "other-value", ":.c:a", ":.c:b"])
OPTIONAL = {"name": "more", "type": "int", "default": 0}
REQUESTS = st.sampled_from(
    [
        sent(schema("x")),
        sent(f"  {schema('x')}"),
        sent(schema("x", OPTIONAL)),
        sent(schema(("x", "int"))),
        sent(schema("x"), metadata=with_properties(owner="a")),
        sent('"string"'),
        sent('{"type": "string"}'),
        sent(OTHER),
        sent(USES_OTHER, references=to_other()),
        sent(schema("x"), version=LATEST),
    ]
)
LEVELS = st.sampled_from(["NONE", "BACKWARD", "FULL_TRANSITIVE"])
NUMBERS = st.sampled_from([LATEST, 1, 2, 3, 4])
IDS = st.integers(0, 12)
BREAKING = st.sampled_from([None, None, None, False, True])
"""Whether the broker goes away in the middle of a write, which is then there or not."""


def context_of(subject):
    """What the model needs to know of contexts."""
    return ".c" if subject.startswith(":") else "."


class Registry(RuleBasedStateMachine):
    """What was answered must hold for ever: `texts` is what each id stood for, `highest` the highest one given."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.log = MemoryLog()
        self.texts = {}
        self.highest = {".": 0, ".c": 0}
        self.live = {}
        self.start()

    # ------------------------------------------------------------------ what people do

    @rule(subject=SUBJECTS, request=REQUESTS, breaking=BREAKING)
    def register(self, subject, request, breaking):
        """A schema gets the id that it has, or one that never was; and the next number, or the one it has."""
        before = self.numbers(subject)
        was = self.known_id(subject, request)
        made = self.attempt(self.service.register(subject, request), breaking)
        if made is None:
            return
        self.remember(made)
        if made.version in before and not before[made.version]:
            assert self.live[subject, made.version] == made
            return
        assert made.version == max(before, default=0) + 1
        if was is not None and made.metadata is None:
            assert made.id == was
        self.live[subject, made.version] = made
        self.agree_on_ids(made)

    @rule(subject=SUBJECTS, request=REQUESTS, number=st.integers(1, 5), schema_id=IDS)
    def bring_in(self, subject, request, number, schema_id):
        """An id and a number of another registry: taken in import mode, where the id is nobody else's.

        Only who imports may say that an id is another schema's, once what had it was deleted for good.
        """
        context = context_of(subject)
        is_known = any(
            (context_of(each.subject), each.id) == (context, schema_id)
            for each in self.service.schemas(":*:", deleted=True)
        )
        request = sent(request.schema, references=request.references, version=number, id=schema_id)
        made = self.attempt(self.service.register(subject, request))
        if made is not None:
            assert (made.version, made.id) == (number, schema_id)
            if not is_known:
                self.texts.pop((context, schema_id), None)
            self.remember(made)
            self.live[subject, number] = made

    @rule(subject=SUBJECTS, number=NUMBERS, permanent=st.booleans(), breaking=BREAKING)
    def delete_version(self, subject, number, permanent, breaking):
        """What was answered as deleted is deleted."""
        gone = self.attempt(self.service.delete_version(subject, number, permanent), breaking)
        if gone is not None:
            self.live.pop((subject, gone), None)
            assert self.numbers(subject).get(gone) is (None if permanent else True)

    @rule(subject=SUBJECTS, permanent=st.booleans(), breaking=BREAKING)
    def delete_subject(self, subject, permanent, breaking):
        """All its versions."""
        gone = self.attempt(self.service.delete_subject(subject, permanent), breaking)
        for number in gone or ():
            self.live.pop((subject, number), None)
        if gone:
            assert all(self.numbers(subject).get(number) is (None if permanent else True) for number in gone)

    @rule(subject=SUBJECTS | st.none(), name=LEVELS)
    def set_level(self, subject, name):
        """What is set is what is answered."""
        made = self.attempt(self.service.set_config(subject, level(name)))
        if made is not None:
            assert self.service.config(subject).compatibility_level == name

    @rule(
        subject=SUBJECTS | st.sampled_from([None, ":.c:"]),
        mode=st.sampled_from(["READWRITE", "READWRITE", "IMPORT", "READONLY"]),
    )
    def set_mode(self, subject, mode):
        """Importing begins with nothing there; then what was deleted is gone for good."""
        made = self.attempt(self.service.set_mode(subject, mode))
        if made is not None:
            assert self.service.mode(subject) == mode

    @rule(subject=SUBJECTS | st.none())
    def force_import(self, subject):
        """Or with what is there."""
        self.attempt(self.service.set_mode(subject, "IMPORT", force=True))

    @rule(subject=SUBJECTS)
    def delete_for_good(self, subject):
        """Both steps."""
        self.delete_subject(subject, False, None)
        self.delete_subject(subject, True, None)

    # ------------------------------------------------------------------ what happens to it

    @rule()
    def restart(self):
        """Everything answered before is answered the same after."""
        self.again(MemoryLog(self.log.records))

    @rule()
    def compact(self):
        """From the compacted topic too."""
        self.again(compacted(self.log))

    @precondition(lambda self: self.log.records)
    @rule()
    def take_over(self):
        """Another replica leads, and goes on with the same."""
        before = self.answers()
        follower, self.store = self.service, MemorySchemaStore(self.log)
        self.service = RegistryService(self.store, url="http://another")
        self.run(self.service.start())
        self.run(self.service.claim())
        assert self.answers() == before
        self.run(follower.close())

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def ids_are_for_ever(self):
        """An id is one text, whatever was deleted; none is higher than what was given."""
        for (context, schema_id), text in self.texts.items():
            try:
                found = self.service.by_id(schema_id, f":{context}:")
            except SchemaNotFound:
                continue
            assert found.text == text
        for context, highest in self.highest.items():
            assert self.service.highest_id(f":{context}:") >= highest

    @invariant()
    def what_is_live_is_found(self):
        """By subject and number, by id, by guid and in the lists."""
        for (subject, number), version in self.live.items():
            assert self.service.version(subject, number) == version
            assert version in self.service.places(version.id, subject)
            assert self.service.by_guid(version.guid).text == version.text
        listed = [(each.subject, each.version) for each in self.service.schemas(":*:")]
        assert sorted(listed) == sorted(self.live)
        assert self.service.subjects() == sorted({subject for subject, _ in self.live})

    @invariant()
    def what_is_referred_to_is_there(self):
        """A schema that is not deleted has all that it needs."""
        for version in self.live.values():
            for reference in version.references:
                there = reference.subject if version.subject[0] != ":" else f":.c:{reference.subject}"
                assert (there, reference.version) in self.live
                assert version.id in self.service.referenced_by(there, reference.version)

    # ------------------------------------------------------------------ within

    def start(self):
        """A registry over the log."""
        self.store = MemorySchemaStore(self.log)
        self.service = RegistryService(self.store)
        self.run(self.service.start())

    def again(self, log):
        """Restart over a log."""
        before = self.answers()
        self.run(self.service.close())
        self.log = log
        self.start()
        assert self.answers() == before

    def answers(self):
        """All that can be asked."""
        asked = [None, "a", "b", "other-value", ":.c:", ":.c:a", ":.c:b"]
        return (
            list(self.service.schemas(":*:", deleted=True)),
            self.service.subjects(deleted=True),
            self.service.contexts(),
            [self.service.config(each, in_scope=True) for each in asked],
            [self.service.mode(each, in_scope=True) for each in asked],
            [self.service.highest_id(each) for each in (":.:", ":.c:")],
        )

    def numbers(self, subject):
        """A subject's versions, and whether each is deleted."""
        return {
            each.version: each.deleted for each in self.service.schemas(":*:", deleted=True) if each.subject == subject
        }

    def known_id(self, subject, request):
        """The id that a schema sent without more has in a context, where it is exactly one."""
        context = context_of(subject)
        found = {
            each.id
            for each in self.service.schemas(":*:", deleted=True)
            if context_of(each.subject) == context
            and each.text == request.schema
            and (each.metadata, each.references) == (request.metadata, request.references or ())
        }
        return found.pop() if len(found) == 1 else None

    def remember(self, made):
        """An id that was answered."""
        context = context_of(made.subject)
        assert self.texts.setdefault((context, made.id), made.text) == made.text

    def agree_on_ids(self, made):
        """A new id is higher than any before it."""
        context = context_of(made.subject)
        self.highest[context] = max(self.highest[context], made.id)

    def attempt(self, work, breaking=None):
        """What a write answered; None where it was refused."""
        self.store.fail_next = breaking if self.service.leads else None
        try:
            return self.run(work)
        except ExchangeError:
            return None
        finally:
            self.store.fail_next = None

    def run(self, work):
        """On this machine's own loop."""
        return self.loop.run_until_complete(work)

    def teardown(self):
        """Leave no task behind."""
        self.run(self.service.close())
        self.loop.close()


Registry.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class TestRegistry(Registry.TestCase):
    """Whatever is done, in whatever order."""


pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
