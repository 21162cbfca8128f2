"""Signed documents: RFC 8785 in DSSE (spec 4)."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import DocumentInvalid
from exchange.trust import SigningKey, document_keyids, open_document, sign_document

ONE, TWO, STRANGER = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
KEYS = {"one": ONE.public, "two": TWO.public}


def test_what_was_signed_is_what_is_read():
    """The payload is the canonical JSON of the content, to the byte."""
    envelope = sign_document("note", {"b": 1, "a": "ў"}, [("one", ONE)])
    assert open_document("note", envelope, KEYS) == '{"a":"ў","b":1}'.encode()
    assert document_keyids("note", envelope) == ["one"]


def test_the_signature_is_over_dsse_pre_authentication():
    """An independent reading of DSSE verifies it: DSSEv1, lengths, type, payload."""
    envelope = json.loads(sign_document("note", {"a": 1}, [("one", ONE)]))
    kind = b"application/vnd.exchange.note+json;version=1"
    message = b"DSSEv1 " + str(len(kind)).encode() + b" " + kind + b' 7 {"a":1}'
    ONE.public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), message)


def test_a_threshold_counts_different_trusted_keys():
    """Two signatures by one key, or by a stranger, are not two of three."""
    both = sign_document("note", {}, [("one", ONE), ("two", TWO)])
    assert open_document("note", both, KEYS, threshold=2) == b"{}"
    for signers in (
        [("one", ONE)],
        [("one", ONE), ("one", ONE)],
        [("one", ONE), ("x", STRANGER)],
        [("two", ONE), ("one", ONE)],
    ):
        with pytest.raises(DocumentInvalid, match="1 good signature"):
            open_document("note", sign_document("note", {}, signers), KEYS, threshold=2)


def test_one_key_under_two_names_is_one_signature():
    """A threshold counts keys, not names."""
    envelope = sign_document("note", {}, [("one", ONE), ("again", ONE)])
    with pytest.raises(DocumentInvalid):
        open_document("note", envelope, {"one": ONE.public, "again": ONE.public}, threshold=2)


def test_a_document_of_another_kind_is_refused():
    """A consent cannot be taken for a directory."""
    with pytest.raises(DocumentInvalid, match=r"expected a document of type .*directory"):
        open_document("directory", sign_document("consent", {}, [("one", ONE)]), KEYS)


@given(st.data())
def test_any_changed_byte_is_refused_or_changes_nothing(data):
    """No alteration of a document yields another content."""
    envelope = sign_document("note", {"amount": 100}, [("one", ONE)])
    place = data.draw(st.integers(0, len(envelope) - 1))
    changed = envelope[:place] + bytes([data.draw(st.integers(0, 255))]) + envelope[place + 1 :]
    with contextlib.suppress(DocumentInvalid):
        assert open_document("note", changed, KEYS) == b'{"amount":100}'


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(garbage):
    """Whatever is not an envelope ends in one clear error."""
    with pytest.raises(DocumentInvalid):
        open_document("note", garbage, KEYS)


@pytest.mark.parametrize(("field", "value"), [("payload", "***"), ("payload", 7), ("signatures", None), ("extra", 1)])
def test_a_malformed_envelope_is_refused(field, value):
    """Each part has one form, and there are no others."""
    envelope = json.loads(sign_document("note", {}, [("one", ONE)]))
    envelope[field] = value
    with pytest.raises(DocumentInvalid):
        open_document("note", json.dumps(envelope).encode(), KEYS)


def test_a_signature_that_is_not_base64_is_refused():
    """A malformed signature is an error of the document, not a crash."""
    envelope = json.loads(sign_document("note", {}, [("one", ONE)]))
    envelope["signatures"][0]["sig"] = "*"
    with pytest.raises(DocumentInvalid, match="not base64"):
        open_document("note", json.dumps(envelope).encode(), KEYS)
