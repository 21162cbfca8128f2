"""Asking a provider over HTTP: the request signed by the gateway, the answer verified (spec 6)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec

from exchange.clock import Clock
from exchange.errors import ExchangeError, LookupFailed, PeerUnreachable, TrustError
from exchange.gateway.digests import digest_of_signature
from exchange.gateway.messages import encode_question, parse_answer
from exchange.gateway.ports import ProviderAnswer, Question
from exchange.transport.http import Credentials, HttpClient, HttpResponse
from exchange.trust import Directory

_CODE = re.compile(r"[a-z][a-z_]{0,63}")
_NOT_FOUND = "individual_not_found"

FAILURES = (
    "provider_unreachable",
    "provider_timeout",
    "provider_answer_invalid",
    "provider_fields_beyond_grant",
    _NOT_FOUND,
)
"""Every code a LookupFailed can carry: a permitted lookup that ended at the provider."""


class HttpProvider:
    """A Provider at its service's URL. It has `timeout` seconds for its whole answer."""

    def __init__(
        self,
        http: HttpClient,
        gateway: Credentials,
        directory: Callable[[], Directory],
        clock: Clock,
        timeout: float,
    ) -> None:
        self._http = http
        self._gateway = gateway
        self._directory = directory
        self._clock = clock
        self._timeout = timeout

    async def ask(self, question: Question) -> ProviderAnswer:
        """Verified data with no field beyond the question's; raises LookupFailed with the provider's part in it."""
        response = await self._send(question)
        if response.status != 200:
            _refuse(question, response)
        try:
            data = parse_answer(response.body)
        except ExchangeError as error:
            raise failed(
                "provider_answer_invalid", f"{question.service.id} answered wrongly: {error.message}"
            ) from None
        verify_fields(question, data)
        return ProviderAnswer(data, digest_of_signature(response.headers["signature"]))

    async def _send(self, question: Question) -> HttpResponse:
        service = question.service.id
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send_signed(question)
        except TimeoutError:
            raise failed("provider_timeout", f"{service} did not answer within {self._timeout:g} s") from None
        except PeerUnreachable as error:
            code = "provider_timeout" if error.code == "peer_timeout" else "provider_unreachable"
            raise failed(code, f"{service}: {error.message}") from None
        except TrustError as error:
            raise failed("provider_answer_invalid", f"the answer of {service}: {error.message}") from None

    async def _send_signed(self, question: Question) -> HttpResponse:
        return await self._http.send_signed(
            "POST",
            question.service.url.rstrip("/") + "/v1/lookups",
            encode_question(question.grant, question.individual, question.fields),
            self._gateway,
            question.transaction_id,
            self._clock,
            headers={"content-type": "application/json"},
            answering=(question.service.id.agency, self._directory()),
        )


def verify_fields(question: Question, data: dict[str, Any]) -> None:
    """Raises LookupFailed where the answer has a field that was not granted; its name is not repeated."""
    beyond = len(data.keys() - question.fields)
    if beyond:
        raise failed(
            "provider_fields_beyond_grant",
            f"{question.service.id} answered {beyond} field(s) that were not granted: nothing is released",
        )


def failed(code: str, message: str) -> LookupFailed:
    """A lookup that ended at the provider."""
    retriable = code in ("provider_unreachable", "provider_timeout")
    error = LookupFailed(message, code=code, retriable=retriable)
    error.hop = "provider"
    return error


def _refuse(question: Question, response: HttpResponse) -> NoReturn:
    """The provider's own refusal, signed by it: its code is told, its text is not."""
    code = _problem_code(response.body)
    if response.status == 404 and code == _NOT_FOUND:
        raise failed(_NOT_FOUND, f"{question.service.id} has no such individual")
    if response.status == 503:
        raise failed("provider_unreachable", f"{question.service.id} cannot answer now ({code})")
    raise failed("provider_answer_invalid", f"{question.service.id} refused with status {response.status} ({code})")


class _Problem(msgspec.Struct):
    code: str = ""


def _problem_code(body: bytes) -> str:
    try:
        code = msgspec.json.decode(body, type=_Problem).code
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "no code"
    return code if _CODE.fullmatch(code) else "no code"
