"""What of the topic becomes a leaf, whatever is on it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit.intake import Leaf, Refusal, take

from .world import World, data_of

WORLD = World()
DIRECTORY = WORLD.directory()
GOOD = WORLD.record(1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.none() | st.binary(max_size=200) | JSON.map(lambda each: json.dumps(each).encode()), max_size=6))
def test_no_record_stops_those_behind_it(values: list[bytes | None]) -> None:
    """Random bytes and random JSON are refused one by one, and the good entry behind them is taken."""
    taken = take([*values, GOOD.encode()], DIRECTORY, patient=True)
    assert not taken.waits
    assert all(isinstance(outcome, Refusal) for outcome in taken.outcomes[:-1])
    assert taken.outcomes[-1] == Leaf(WORLD.entry().kind, data_of(GOOD))


@given(name=st.sampled_from(["payload", "payloadType", "signatures"]), value=JSON)
def test_no_document_stops_those_behind_it(name: str, value: Any) -> None:
    """A document with anything in one of its places is refused, or is the good one."""
    content = json.loads(GOOD.encode())
    content["document"][name] = value
    [outcome] = take([json.dumps(content).encode()], DIRECTORY, patient=True).outcomes
    assert isinstance(outcome, Refusal)
    assert outcome.reason in {"malformed", "not_signed"}


@given(st.binary(max_size=100))
def test_no_payload_stops_those_behind_it(payload: bytes) -> None:
    """Whatever an unsigned payload claims, it neither waits nor raises unless it claims a newer directory."""
    content = json.loads(GOOD.encode())
    content["document"]["payload"] = base64.b64encode(payload).decode()
    taken = take([json.dumps(content).encode()], DIRECTORY, patient=True)
    assert [type(outcome) for outcome in taken.outcomes] == [Refusal]


@pytest.mark.parametrize("patient", [True, False])
def test_a_claim_of_a_newer_directory_waits_while_there_is_patience(patient: bool) -> None:
    """Only an entry that claims a newer directory may hold up what is behind it, and only while there is patience."""
    forged = json.loads(WORLD.record(2, directory_version=9).encode())
    forged["document"]["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    values = [json.dumps(forged).encode(), GOOD.encode()]
    taken = take(values, DIRECTORY, patient=patient)
    assert taken.waits is patient
    assert [type(outcome) for outcome in taken.outcomes] == ([] if patient else [Refusal, Leaf])
