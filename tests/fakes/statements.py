"""Statements signed one by one, as the specification has them."""

from __future__ import annotations

from datetime import datetime

from exchange.envelope import statement_text
from exchange.ids import PublisherId
from exchange.merkle import NoteSigner, sign_note


def sign_statement(
    publisher: PublisherId, signer: NoteSigner, size: int, root: bytes, *, epoch: int, flush: int, time: datetime
) -> bytes:
    """The statement's bytes: its text, signed under the publisher's name."""
    text = statement_text(publisher, size, root, epoch=epoch, flush=flush, time=time)
    return sign_note(text, str(publisher), signer)
