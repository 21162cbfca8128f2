"""Calling a gateway: what consumers and the CLI use. Every answer's signature is verified before it is believed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from exchange.clock import Clock, format_micros, to_unix_millis
from exchange.consent import DENIALS, ConsentRecord, parse_consent
from exchange.errors import (
    AccessDenied,
    AuditError,
    AuditUnavailable,
    ConsentError,
    DocumentInvalid,
    ExchangeError,
    LookupFailed,
    RequestRefused,
    SettingsError,
)
from exchange.gateway.provider import FAILURES
from exchange.ids import AgencyId, Identifier, uuid7
from exchange.transport.http import Credentials, HttpClient, HttpResponse
from exchange.trust import Directory


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The data of a permitted lookup, its receipt (JSON data, spec 9) and its transaction."""

    data: Mapping[str, Any]
    receipt: Mapping[str, Any]
    transaction_id: str


@dataclass(frozen=True, slots=True)
class ConsentResult:
    """A consent as it now stands; `receipt` is None where nothing was changed."""

    record: ConsentRecord
    content: Mapping[str, Any]
    digest: str
    receipt: Mapping[str, Any] | None
    transaction_id: str


@dataclass(frozen=True, slots=True)
class ConsentSubject:
    """Which consent: whose, to whom, for which service or topic, for what."""

    individual: Identifier
    consumer: AgencyId
    service: str
    purpose: str


class GatewayClient:
    """A consumer's side of one gateway. `url` is one of the directory's gateways.

    Every call raises RequestRefused (401, or an answer that does not verify), PeerUnreachable, DirectoryExpired,
    or an ExchangeError with the code of the gateway's problem; the refusal's audit receipt is its `receipt`.
    """

    def __init__(
        self, http: HttpClient, credentials: Credentials, directory: Callable[[], Directory], clock: Clock, url: str
    ) -> None:
        self._http = http
        self._credentials = credentials
        self._directory = directory
        self._clock = clock
        self._url = url.rstrip("/")

    async def lookup(
        self, service: str, individual: Identifier, purpose: str, fields: Iterable[str], case_reference: str
    ) -> LookupResult:
        """Fields of one individual (spec 6); raises AccessDenied or LookupFailed, too."""
        asked = {
            "service": service,
            "individual": _individual(individual),
            "purpose": purpose,
            "fields": list(fields),
            "case_reference": case_reference,
        }
        transaction_id, body = await self._post("/v1/lookups", asked)
        answer = _decode(body, _LookupAnswer)
        return LookupResult(answer.data, answer.receipt, transaction_id)

    async def give_consent(
        self,
        about: ConsentSubject,
        fields: Iterable[str],
        *,
        language: str,
        notice_digest: str,
        valid_until: datetime,
    ) -> ConsentResult:
        """Record what an individual consented to; raises AccessDenied or ConsentError, too."""
        terms = {
            "fields": list(fields),
            "language": language,
            "notice_digest": notice_digest,
            "valid_until": format_micros(valid_until),
        }
        return await self._consent("/v1/consents", {**_about(about), **terms})

    async def withdraw_consent(self, about: ConsentSubject) -> ConsentResult:
        """End it; once this returns, the gateway denies."""
        return await self._consent("/v1/consents/withdraw", _about(about))

    async def pause_consent(self, about: ConsentSubject) -> ConsentResult:
        """Suspend it until it is resumed."""
        return await self._consent("/v1/consents/pause", _about(about))

    async def resume_consent(self, about: ConsentSubject) -> ConsentResult:
        """Let a paused consent hold again."""
        return await self._consent("/v1/consents/resume", _about(about))

    async def show_consent(self, about: ConsentSubject) -> ConsentResult:
        """The consent as it stands; raises ConsentError `consent_not_found`."""
        return await self._consent("/v1/consents/show", _about(about))

    async def _consent(self, path: str, asked: Mapping[str, Any]) -> ConsentResult:
        transaction_id, body = await self._post(path, asked)
        answer = _decode(body, _ConsentAnswer)
        record = parse_consent(bytes(answer.consent))
        content = msgspec.json.decode(answer.consent)
        return ConsentResult(record, content, answer.digest, answer.receipt, transaction_id)

    async def _post(self, path: str, content: Mapping[str, Any]) -> tuple[str, bytes]:
        transaction_id = uuid7(to_unix_millis(self._clock.now()), os.urandom(10))
        directory = self._directory()
        response = await self._http.send_signed(
            "POST",
            self._url + path,
            msgspec.json.encode(content),
            self._credentials,
            transaction_id,
            self._clock,
            headers={"content-type": "application/json"},
            answering=(self._gateway(directory), directory),
        )
        if response.status != 200:
            raise _error(response)
        return transaction_id, response.body

    def _gateway(self, directory: Directory) -> AgencyId:
        for gateway in directory.gateways:
            if gateway.url.rstrip("/") == self._url:
                return gateway.agency
        known = ", ".join(gateway.url for gateway in directory.gateways) or "none"
        raise SettingsError(f"{self._url} is no gateway of the directory, which has: {known}")


class _LookupAnswer(msgspec.Struct):
    data: dict[str, Any]
    receipt: dict[str, Any]


class _ConsentAnswer(msgspec.Struct):
    consent: msgspec.Raw
    digest: str
    receipt: dict[str, Any] | None


class _Problem(msgspec.Struct):
    code: str
    detail: str = ""
    hop: str | None = None
    retriable: bool = False
    receipt: dict[str, Any] | None = None


_T = TypeVar("_T")


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentInvalid(f"the gateway's answer is not what is expected here: {error}") from None


_AUDIT: Mapping[str, type[AuditError]] = {"audit_unavailable": AuditUnavailable, "entry_refused": AuditError}


def _error(response: HttpResponse) -> ExchangeError:
    """The error that a problem tells of: of the class its code and status belong to."""
    problem = _decode(response.body, _Problem)
    error = _class_of(problem.code, response.status)(problem.detail, code=problem.code, retriable=problem.retriable)
    error.hop = problem.hop
    error.receipt = problem.receipt
    return error


def _class_of(code: str, status: int) -> type[ExchangeError]:
    if code in FAILURES:
        return LookupFailed
    if code in _AUDIT:
        return _AUDIT[code]
    by_status: dict[int, type[ExchangeError]] = {401: RequestRefused, 409: ConsentError}
    if status in by_status:
        return by_status[status]
    if code in DENIALS or status == 403:
        return AccessDenied
    return ConsentError if code.startswith("consent_") else ExchangeError


def _individual(individual: Identifier) -> dict[str, str]:
    return {"scheme": individual.scheme, "value": individual.value}


def _about(about: ConsentSubject) -> dict[str, Any]:
    return {
        "individual": _individual(about.individual),
        "consumer": str(about.consumer),
        "service": about.service,
        "purpose": about.purpose,
    }
