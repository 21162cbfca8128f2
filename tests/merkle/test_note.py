"""Signed notes, checkpoints and proofs as text (C2SP)."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ProofInvalid
from exchange.merkle import (
    Checkpoint,
    Note,
    NoteSignature,
    NoteVerifier,
    TlogProof,
    Tree,
    is_key_name,
    leaf_hash,
    note_key_id,
    open_note,
    parse_note,
    sign_note,
    verifier_text,
)
from exchange.trust import SigningKey

KEY = SigningKey.from_seed(bytes(range(32)))
OTHER = SigningKey.from_seed(bytes(range(1, 33)))
NAME = "uz.example/audit"
VERIFIER = NoteVerifier(NAME, KEY.public)
WITNESS = NoteVerifier("witness.example", OTHER.public)
TEXT = "first line\n\nthird line, the second is empty\n"

texts = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]) | st.just("\n"), min_size=1).map(
    lambda text: text + "\n"
)


def lines_of(raw: bytes) -> bytes:
    """A note's signature lines."""
    return raw.rpartition(b"\n\n")[2]


@given(texts)
def test_any_text_signed_opens_again(text):
    """What was signed is what comes out, and it is written again to the same bytes."""
    raw = sign_note(text, NAME, KEY)
    note = open_note(raw, [VERIFIER])
    assert note.text == text
    assert parse_note(raw).encode() == raw


def test_a_note_is_written_as_c2sp_draws_it():
    """Text, an empty line, and one line of an em dash, the name, and base64 of key id and signature."""
    raw = sign_note(TEXT, NAME, KEY).decode()
    head, line = raw[: len(TEXT) + 1], raw[len(TEXT) + 1 :]
    assert head == TEXT + "\n"
    dash, name, blob = line.rstrip("\n").split(" ")
    assert (dash, name) == ("—", NAME)
    assert base64.b64decode(blob) == note_key_id(NAME, KEY.public.raw) + KEY.sign(TEXT.encode())


def test_a_verifier_key_has_its_text_form():
    """Name, key id and key, as other programs take it."""
    name, identifier, blob = verifier_text(NAME, KEY.public.raw).split("+", 2)
    assert (name, identifier) == (NAME, VERIFIER.key_id.hex())
    assert base64.b64decode(blob) == b"\x01" + KEY.public.raw


def test_signatures_of_strangers_are_ignored():
    """A witness whose key is not known changes nothing, and neither does a stranger under a known name."""
    stranger = lines_of(sign_note(TEXT, NAME, OTHER))
    raw = sign_note(TEXT, NAME, KEY) + stranger + lines_of(sign_note(TEXT, "witness.example", OTHER))
    assert [each.name for each in open_note(raw, [VERIFIER]).signatures] == [NAME]
    assert [each.name for each in open_note(raw, [VERIFIER, WITNESS]).signatures] == [NAME, "witness.example"]


def test_a_known_key_must_verify():
    """One bad signature by a known key refuses the note, whoever else signed."""
    forged = lines_of(sign_note(TEXT + "more\n", "witness.example", OTHER))
    raw = sign_note(TEXT, NAME, KEY) + forged
    assert open_note(raw, [VERIFIER]).text == TEXT
    with pytest.raises(ProofInvalid, match=r"witness\.example does not verify"):
        open_note(raw, [VERIFIER, WITNESS])


def test_a_note_by_nobody_known_is_refused():
    """Without a known signature there is no text to read."""
    with pytest.raises(ProofInvalid, match="not signed by any of"):
        open_note(sign_note(TEXT, NAME, KEY), [WITNESS])


def test_a_signature_of_another_length_does_not_verify():
    """A known key's line with too few bytes of signature is refused, not skipped."""
    line = NoteSignature(NAME, VERIFIER.key_id, b"short")
    with pytest.raises(ProofInvalid, match="does not verify"):
        open_note(Note(TEXT, (line,)).encode(), [VERIFIER])


@pytest.mark.parametrize("name", ["", "two words", "a+b", "no\u00a0break", "tab\t", "line\n", "\u2028"])
def test_names_that_c2sp_forbids_do_not_sign(name):
    """No spaces of any script, no plus, not empty, nothing unprintable."""
    assert not is_key_name(name)
    with pytest.raises(ValueError, match="note key name"):
        sign_note(TEXT, name, KEY)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "tab\there\n", "carriage\r\n", "null\x00\n"])
def test_texts_that_c2sp_forbids_are_not_signed(text):
    """A text is not empty, ends in a newline and has no control characters."""
    with pytest.raises(ValueError, match="a note's text"):
        sign_note(text, NAME, KEY)


GOOD = sign_note(TEXT, NAME, KEY)
BAD_NOTES = {
    "empty": b"",
    "text alone": TEXT.encode(),
    "no empty line": GOOD.replace(b"\n\n", b"\n"),
    "no last newline": GOOD[:-1],
    "not UTF-8": b"\xff" + GOOD,
    "control character": b"\x07" + GOOD,
    "no dash": GOOD.replace("— ".encode(), b"- "),
    "no name": GOOD.replace(NAME.encode(), b""),
    "no base64": GOOD[:-3] + b"!\n",
    "base64 cut": GOOD[:-2] + b"\n",
    "id alone": "text\n\n— a AAAAAA==\n".encode(),
    "line with plus": GOOD.replace(NAME.encode(), b"a+b"),
    "too large": b"x" * 1_000_000 + GOOD,
    "too many": GOOD + lines_of(GOOD) * 100,
}


@pytest.mark.parametrize("raw", BAD_NOTES.values(), ids=BAD_NOTES.keys())
def test_what_is_no_note_is_refused(raw):
    """Reading ends in ProofInvalid where the form is not C2SP's."""
    with pytest.raises(ProofInvalid):
        open_note(raw, [VERIFIER])


@given(st.binary(max_size=300))
def test_random_bytes_are_no_note(raw):
    """Whatever the bytes, there is one error."""
    with pytest.raises(ProofInvalid):
        open_note(raw, [VERIFIER])


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_note_with_a_changed_byte_does_not_open(position, byte):
    """Every byte of a note with one signature counts."""
    at = position % len(GOOD)
    changed = GOOD[:at] + bytes([byte]) + GOOD[at + 1 :]
    if changed != GOOD:
        with pytest.raises(ProofInvalid):
            open_note(changed, [VERIFIER])


# checkpoints ----------------------------------------------------------------------------------------------------

ROOT = bytes(range(32))
extension = st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(
    origin=extension,
    size=st.integers(0, 10**19 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(extension, max_size=4).map(tuple),
)
def test_a_checkpoint_comes_back(origin, size, root, extensions):
    """Reading a checkpoint gives what was written."""
    checkpoint = Checkpoint(origin, size, root, extensions)
    assert Checkpoint.parse(checkpoint.encode()) == checkpoint


ROOT_TEXT = base64.b64encode(ROOT).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a\n1\n",
        f"a\n1\n{ROOT_TEXT}",
        f"a\n1\n{ROOT_TEXT}\n\n",
        f"a\n1\n{ROOT_TEXT}\n\nx\n",
        f"\n1\n{ROOT_TEXT}\n",
        f"a\n01\n{ROOT_TEXT}\n",
        f"a\n-1\n{ROOT_TEXT}\n",
        f"a\n 1\n{ROOT_TEXT}\n",
        f"a\n1_0\n{ROOT_TEXT}\n",
        f"a\n{'9' * 20}\n{ROOT_TEXT}\n",
        f"a\n1\n{ROOT_TEXT[:-1]}\n",
        f"a\n1\n{ROOT_TEXT[:-2]}9=\n",
        "a\n1\nAAEC\n",
        "a\n1\n\u00e9\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    """Only the form that is written is read."""
    with pytest.raises(ProofInvalid):
        Checkpoint.parse(text)


# proofs as text -------------------------------------------------------------------------------------------------

TREE = Tree(leaf_hash(bytes([number])) for number in range(21))
CHECKPOINT = sign_note(Checkpoint(NAME, 21, TREE.root).encode(), NAME, KEY)
PROOF = TlogProof(13, tuple(TREE.inclusion_proof(13)), CHECKPOINT)


@pytest.mark.parametrize("index", range(21))
@pytest.mark.parametrize("extra", [b"", b"\x00salt"])
def test_a_proof_travels_as_text(index, extra):
    """Every leaf's proof is read back and verifies against nothing but the origin and its key."""
    proof = TlogProof(index, tuple(TREE.inclusion_proof(index)), CHECKPOINT, extra)
    again = TlogProof.parse(proof.encode())
    assert again == proof
    assert again.verify(TREE.node(0, index), NAME, [VERIFIER]).size == 21


def test_a_proof_is_written_as_c2sp_draws_it():
    """Header, extra, index, a line a hash, an empty line, and the checkpoint as it was signed."""
    text = TlogProof(13, PROOF.path, CHECKPOINT, b"abc").encode().decode()
    lines = text.split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra YWJj", "index 13"]
    assert [base64.b64decode(line) for line in lines[3 : 3 + len(PROOF.path)]] == list(PROOF.path)
    assert text.endswith("\n\n" + CHECKPOINT.decode())


def test_a_lone_leafs_proof_has_no_path():
    """In a tree of one leaf the leaf is the root."""
    leaf = leaf_hash(b"only")
    checkpoint = sign_note(Checkpoint(NAME, 1, leaf).encode(), NAME, KEY)
    proof = TlogProof.parse(TlogProof(0, (), checkpoint).encode())
    assert proof.verify(leaf, NAME, [VERIFIER]).root == leaf


def test_a_proof_of_something_else_is_refused():
    """Another leaf, another origin, another key: each is refused."""
    leaf = TREE.node(0, 13)
    with pytest.raises(ProofInvalid, match="does not lead"):
        PROOF.verify(TREE.node(0, 14), NAME, [VERIFIER])
    with pytest.raises(ProofInvalid, match="not of"):
        PROOF.verify(leaf, "uz.example/other", [VERIFIER])
    with pytest.raises(ProofInvalid, match="not signed by"):
        PROOF.verify(leaf, NAME, [NoteVerifier(NAME, OTHER.public)])


TEXT_PROOF = PROOF.encode()
BAD_PROOFS = {
    "empty": b"",
    "another version": TEXT_PROOF.replace(b"@v1", b"@v2"),
    "header alone": b"c2sp.org/tlog-proof@v1\n\n" + CHECKPOINT,
    "no index": TEXT_PROOF.replace(b"index 13\n", b""),
    "index leading zero": TEXT_PROOF.replace(b"index 13", b"index 013"),
    "index without space": TEXT_PROOF.replace(b"index 13", b"index13"),
    "extra empty": TEXT_PROOF.replace(b"index", b"extra \nindex"),
    "extra alone": b"c2sp.org/tlog-proof@v1\nextra YWJj\n\n" + CHECKPOINT,
    "extra twice": TEXT_PROOF.replace(b"index", b"extra YWJj\nextra YWJj\nindex"),
    "extra no base64": TEXT_PROOF.replace(b"index", b"extra Y\nindex"),
    "not ASCII": TEXT_PROOF.replace(b"index", "ındex".encode()),
    "hash short": TEXT_PROOF.replace(b"index 13\n", b"index 13\nAAEC\n"),
    "no checkpoint": TEXT_PROOF.partition(b"\n\n")[0],
}


@pytest.mark.parametrize("raw", BAD_PROOFS.values(), ids=BAD_PROOFS.keys())
def test_what_is_no_proof_is_refused(raw):
    """Only the form that is written is read."""
    with pytest.raises(ProofInvalid):
        TlogProof.parse(raw)


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_proof_with_a_changed_byte_is_refused(position, byte):
    """Every byte of a proof without extra data counts."""
    at = position % len(TEXT_PROOF)
    changed = TEXT_PROOF[:at] + bytes([byte]) + TEXT_PROOF[at + 1 :]
    if changed != TEXT_PROOF:
        with pytest.raises(ProofInvalid):
            TlogProof.parse(changed).verify(TREE.node(0, 13), NAME, [VERIFIER])
