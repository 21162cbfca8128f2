"""Asking the log: its checkpoint, and proofs that complete receipts."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable

import msgspec

from exchange.audit.receipt import Consistency, Receipt
from exchange.errors import AuditError, ProofInvalid
from exchange.merkle import Checkpoint, TlogProof, parse_note
from exchange.transport.http import HttpClient, HttpResponse

_POLL_SECONDS = 0.1
_OK, _PENDING, _NOT_FOUND = 200, 202, 404


class AuditClient:
    """A log at `url`. What it answers is not verified here: `verify_receipt` does that, offline.

    Every call raises PeerUnreachable where the log does not answer, AuditError where it refuses.
    """

    def __init__(
        self,
        http: HttpClient,
        url: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._monotonic = monotonic
        self._sleep = sleep

    async def checkpoint(self) -> bytes:
        """The log's newest checkpoint, a signed note."""
        return (await self._get("/checkpoint")).body

    async def proof(self, leaf: bytes, *, seconds: float = 10.0) -> bytes:
        """The tlog-proof of a leaf hash, asked for until a checkpoint covers it.

        Raises AuditError of code `proof_pending` when none did within `seconds`.
        """
        deadline = self._monotonic() + seconds
        while True:
            answer = await self._http.send("GET", f"{self._url}/v1/receipts/proof?leaf={leaf.hex()}")
            if answer.status == _OK:
                return answer.body
            if answer.status not in (_PENDING, _NOT_FOUND):
                raise self._refused("/v1/receipts/proof", answer)
            if self._monotonic() >= deadline:
                raise AuditError(
                    f"no checkpoint of the log at {self._url} covers the entry after {seconds:g} s: ask again later",
                    code="proof_pending",
                    retriable=True,
                )
            await self._sleep(_POLL_SECONDS)

    async def complete(self, receipt: Receipt, *, checkpoint: bytes | None = None, seconds: float = 10.0) -> Receipt:
        """The receipt with the log's proof, and with what leads from it to `checkpoint` where one is given.

        A proof that is there already stays. Raises DocumentInvalid where the receipt is not one.
        """
        if receipt.proof is None:
            receipt = receipt.with_proof(await self.proof(receipt.leaf, seconds=seconds))
        return receipt if checkpoint is None else await self._bridge(receipt, checkpoint)

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The RFC 6962 proof that the first `old` leaves begin the first `new`."""
        answer = await self._get(f"/v1/proofs/consistency?old={old}&new={new}")
        return _parse_path(answer.body)

    async def _bridge(self, receipt: Receipt, checkpoint: bytes) -> Receipt:
        covering, trusted = _size_of(TlogProof.parse(receipt.proof or b"").checkpoint), _size_of(checkpoint)
        if covering == trusted:
            return receipt
        path = await self.consistency(min(covering, trusted), max(covering, trusted))
        return receipt.with_consistency(Consistency(trusted, path))

    async def _get(self, path: str) -> HttpResponse:
        answer = await self._http.send("GET", self._url + path)
        if answer.status != _OK:
            raise self._refused(path, answer)
        return answer

    def _refused(self, path: str, answer: HttpResponse) -> AuditError:
        detail = _detail(answer.body)
        return AuditError(f"the log at {self._url} answered {path.partition('?')[0]} with {answer.status}{detail}")


def _size_of(note: bytes) -> int:
    return Checkpoint.parse(parse_note(note).text).size


def _parse_path(body: bytes) -> tuple[bytes, ...]:
    try:
        raw = msgspec.json.decode(body, type=_Path)
        return tuple(base64.b64decode(each, validate=True) for each in raw.path)
    except (msgspec.DecodeError, ValueError):
        raise ProofInvalid("the log's answer is not a proof") from None


def _detail(body: bytes) -> str:
    try:
        return f": {msgspec.json.decode(body, type=_Problem).detail}"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


class _Path(msgspec.Struct):
    path: list[str]


class _Problem(msgspec.Struct):
    detail: str
