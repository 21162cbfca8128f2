"""Go's own verifiers of signed notes and transparency logs take what the exchange signs: golang.org/x/mod/sumdb."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from exchange.merkle import verifier_text
from tests.envelope.evidence_world import changed, evidence_of
from tests.envelope.world import CUSTOMS_KEY, TARIFF, Draft, seal, seal_one
from tests.interop.published import published_evidence

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".cache" / "interop" / "interop"
VECTORS = ROOT / "tests" / "vectors"


def go(command: str, file: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of the program's commands."""
    return subprocess.run([PROGRAM, command, file], capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def verify(tmp_path):
    """Has Go verify a file of evidence: (holds, what it prints)."""

    def verify(data: bytes) -> tuple[bool, str]:
        (tmp_path / "evidence.json").write_bytes(data)
        answer = go("evidence", tmp_path / "evidence.json")
        return answer.returncode == 0, answer.stdout or answer.stderr

    return verify


async def test_evidence_of_a_real_record_is_verified_by_go(kafka, verify):
    """`note.Open` takes the checkpoint, `tlog.CheckRecord` the path of a record that was published to Kafka."""
    world, files = await published_evidence(kafka, count=5)
    for index, data in enumerate(files):  # the publisher's position is the sixth record of the flush
        assert verify(data) == (True, f"{world.publisher_id} {index} of 6 signed by 1 key\n")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 33, 2000])
def test_flushes_of_every_size_are_verified_by_go(verify, size):
    """Trees in which nodes are promoted are RFC 6962's to Go as well."""
    flush = seal([Draft(sequence=number) for number in range(size)])
    for index in {0, size // 2, size - 1}:
        holds, said = verify(evidence_of(flush[index]).encode())
        assert (holds, f" {index} of {size} " in said) == (True, True), said


@pytest.mark.parametrize("draft", [Draft(value=None), Draft(key=None), Draft(key=b""), Draft(key="калит".encode())])
def test_records_of_every_shape_have_one_leaf(verify, draft):
    """Nulls, empties and text beyond ASCII lead to the same leaf in Go."""
    assert verify(evidence_of(seal_one(draft)).encode())[0]


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("record", "key"), "0102", "inclusion"),
        (("record", "headers", 2, 1), "x", "inclusion"),
        (("record", "value"), None, "inclusion"),
        (("record", "topic"), "x", "inclusion"),
        (("publisher", "verifier"), "UZ/GOV/customs/tariff/hs-nomenclature+143427c6+AQ==", "verifier"),
    ],
)
def test_what_was_changed_is_refused_by_go(verify, path, to, said):
    """A changed record, or another key, holds in no language."""
    holds, words = verify(changed(evidence_of().encode(), *path, to=to))
    assert (holds, words.startswith(said)) == (False, True), words


def test_a_changed_checkpoint_is_refused_by_go(verify):
    """Each line of the statement is signed."""
    data = evidence_of().encode()
    for old, new in ((b"epoch 3", b"epoch 4"), (b"flush 4217", b"flush 4218"), (b"\\n3\\n", b"\\n4\\n")):
        holds, words = verify(data.replace(old, new))
        assert (holds, words.startswith("note")) == (False, True), words


def test_the_vectors_trees_are_gos():
    """Roots, paths and consistency proofs of 1 to 33 leaves are what `tlog` computes, and the damaged ones are none."""
    answer = go("trees", VECTORS / "trees.json")
    assert (answer.returncode, answer.stdout) == (0, "33 roots, 561 paths, 528 consistency proofs\n"), answer.stderr


def verdicts(file: str, **environment: str) -> dict[str, str]:
    """What `note.Open` makes of each statement of a vector file."""
    answer = go("notes", VECTORS / file, **environment)
    assert answer.returncode == 0, answer.stderr
    return dict(reversed(line.split("\t")) for line in answer.stdout.splitlines())


def test_the_vectors_statements_are_notes():
    """`note.Open` takes every statement; where only the bytes around the text are damaged, it refuses as we do."""
    found = verdicts("statements.json")
    vectors = json.loads((VECTORS / "statements.json").read_text())
    assert {found[each["name"]] for each in vectors["valid"]} == {"opens"}
    for name in ("empty", "no signature", "another's signature", "newline trails", "carriage returns"):
        assert found[name] == "refused"


def test_what_we_take_is_a_note_to_go():
    """Of all damaged statements, none whose signature holds to us is refused by Go; ours are the stricter rules."""
    cases = json.loads((VECTORS / "damaged-seals.json").read_text())["statements"]
    found = verdicts("damaged-seals.json", VERIFIER=verifier_text(str(TARIFF), CUSTOMS_KEY.public.raw))
    assert len(found) == len(cases)
    assert {found[each["name"]] for each in cases if each["step"] in (0, 7)} == {"opens"}
    assert {found[each["name"]] for each in cases if each["step"] in (3, 4, 5, 6) and "time" not in each["name"]} == {
        "refused"
    }
