"""The signed statement of a seal (spec 3): a C2SP checkpoint with three extension lines, as a C2SP signed note.

<publisher>                origin = publisher = key name
<tree size>                1 to 2,000 records of one flush
<root>                     base64
epoch <decimal>
flush <decimal>
time <RFC 3339 UTC, milliseconds>

— <publisher> <base64 of key id and Ed25519 signature>
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exchange.clock import format_millis, parse_time, to_unix_millis
from exchange.errors import ProofInvalid, StatementMalformed
from exchange.ids import PublisherId
from exchange.merkle import Checkpoint, parse_decimal, parse_note

MAX_FLUSH = 2_000
"""Records that one statement may cover."""

_SIGNATURE_SIZE = 64


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was read, unverified. `text` is what was signed; `key_id` says with which key of its name."""

    publisher: PublisherId
    origin: str
    source: bytes
    size: int
    root: bytes
    epoch: int
    flush: int
    time: datetime
    millis: int
    text: bytes
    key_id: bytes
    signature: bytes


def statement_text(publisher: PublisherId, size: int, root: bytes, *, epoch: int, flush: int, time: datetime) -> str:
    """What is signed: one flush of `size` records under `root`."""
    extensions = (f"epoch {epoch}", f"flush {flush}", f"time {format_millis(time)}")
    return Checkpoint(str(publisher), size, root, extensions).encode()


def parse_statement(raw: bytes) -> Statement:
    """Read a signed `statement_text`, and nothing else; raises StatementMalformed. Nothing is verified (step 2)."""
    try:
        return _parse(raw)
    except (ProofInvalid, ValueError, OverflowError) as error:  # which may cite all 64 KiB of what they refuse
        raise StatementMalformed(f"the seal's statement is malformed: {error!s:.300}") from None


def _parse(raw: bytes) -> Statement:
    note = parse_note(raw)
    checkpoint = Checkpoint.parse(note.text)
    if len(note.signatures) != 1 or note.signatures[0].name != checkpoint.origin or note.encode() != raw:
        raise ValueError("it carries exactly one signature, by its origin")
    if len(note.signatures[0].signature) != _SIGNATURE_SIZE:
        raise ValueError(f"its signature is {_SIGNATURE_SIZE} bytes")
    if not 1 <= checkpoint.size <= MAX_FLUSH:
        raise ValueError(f"it covers 1 to {MAX_FLUSH} records, not {checkpoint.size}")
    epoch, flush, time = _extensions(checkpoint.extensions)
    publisher = PublisherId.parse(checkpoint.origin)
    return Statement(
        publisher=publisher,
        origin=checkpoint.origin,
        source=f"/{publisher.agency}".encode(),
        size=checkpoint.size,
        root=checkpoint.root,
        epoch=epoch,
        flush=flush,
        time=time,
        millis=to_unix_millis(time),
        text=note.text.encode(),
        key_id=note.signatures[0].key_id,
        signature=note.signatures[0].signature,
    )


def _extensions(lines: tuple[str, ...]) -> tuple[int, int, datetime]:
    fields = [line.partition(" ") for line in lines]
    if [label for label, _, _ in fields] != ["epoch", "flush", "time"]:
        raise ValueError("its extension lines are epoch, flush and time")
    epoch, flush, text = (value for _, _, value in fields)
    time = parse_time(text)
    if format_millis(time) != text:
        raise ValueError(f"its time has milliseconds and ends in Z, unlike {text[:40]!r}")
    return parse_decimal(epoch), parse_decimal(flush), time
