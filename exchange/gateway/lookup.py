"""Lookups: the order of spec 6, no step skipped or moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.clock import Clock
from exchange.consent import AccessRequest, ConsentView, Permit, decide
from exchange.errors import AccessDenied, ExchangeError, LookupFailed
from exchange.gateway.caps import PERMIT, CapCounters
from exchange.gateway.digests import digest_of_signature
from exchange.gateway.grant import Grant, sign_grant
from exchange.gateway.messages import LookupRequest, parse_lookup, require_scheme
from exchange.gateway.metrics import LOOKUP_SECONDS, LOOKUPS
from exchange.gateway.ports import Provider, ProviderAnswer, Question, Receipt
from exchange.gateway.provider import failed
from exchange.gateway.trail import RELEASED, Case, GatewayTrail
from exchange.transport.http import Credentials, VerifiedRequest
from exchange.trust import Directory, ServiceEntry


@dataclass(frozen=True, slots=True)
class Released:
    """What a permitted lookup answers: the data, and the receipt of the entry that says they were released."""

    data: Mapping[str, Any]
    receipt: Receipt


class Lookups:
    """Answers lookups of authenticated consumers.

    Killed before the first entry is durable, nothing happened. Killed after it, the trail says that data were
    permitted and the provider may have been asked; without an outcome entry nothing reached the consumer.
    """

    def __init__(
        self,
        gateway: Credentials,
        pepper: bytes,
        directory: Callable[[], Directory],
        consents: ConsentView,
        counters: CapCounters,
        trail: GatewayTrail,
        provider: Provider,
        clock: Clock,
    ) -> None:
        self._gateway = gateway
        self._pepper = pepper
        self._directory = directory
        self._consents = consents
        self._counters = counters
        self._trail = trail
        self._provider = provider
        self._clock = clock

    async def answer(self, sender: VerifiedRequest, body: bytes) -> Released:
        """The data asked for. `sender` was authenticated, which is the first step.

        Raises AccessDenied or LookupFailed, with the receipt of the entry they left; an error of code
        `request_malformed`, which leaves none; AuditError, because none could be left: nothing is released.
        """
        asked = parse_lookup(body)
        case = self._open_case(sender, asked)
        service = case.directory.service(asked.service)
        if service is not None:
            require_scheme(asked.individual, service.individual_scheme)
        with LOOKUP_SECONDS.time():
            return await self._counted(case, asked, service)

    async def _counted(self, case: Case, asked: LookupRequest, service: ServiceEntry | None) -> Released:
        name = str(asked.service) if service is not None else "unknown"
        try:
            released = await self._run(case, asked, service)
        except ExchangeError as error:
            LOOKUPS.labels(name, error.code).inc()
            raise
        LOOKUPS.labels(name, "permitted").inc()
        return released

    async def _run(self, case: Case, asked: LookupRequest, service: ServiceEntry | None) -> Released:
        permit = await self._decide(case)
        try:
            answer = await self._ask(case, asked, service, permit)
        except LookupFailed as failure:
            failure.receipt = await self._trail.completed(case, permit, failure.code, None)
            raise
        receipt = await self._trail.completed(case, permit, RELEASED, answer.digest)
        return Released(answer.data, receipt)

    def _open_case(self, sender: VerifiedRequest, asked: LookupRequest) -> Case:
        individual = asked.individual.pseudonym(self._pepper)
        request = AccessRequest(sender.agency, str(asked.service), asked.purpose, asked.fields, individual)
        digest = digest_of_signature(sender.signature)
        return Case(request, sender.transaction_id, digest, self._directory(), self._clock.now())

    async def _decide(self, case: Case) -> Permit:
        """Agreement, purpose, fields, caps, consent or statute; then the entry that says so, durable."""
        try:
            # No await between the decision and the count: two requests cannot both take a cap's last place.
            permit = decide(case.directory, self._consents, case.request, self._counters, case.decided_at)
            self._counters.count(case.request, case.decided_at)
        except AccessDenied as denial:
            denial.receipt = await self._trail.decided(case, denial.code)
            raise
        try:
            await self._trail.decided(case, PERMIT, permit)
        except BaseException:
            self._counters.take_back(case.request, case.decided_at)
            raise
        return permit

    async def _ask(
        self, case: Case, asked: LookupRequest, service: ServiceEntry | None, permit: Permit
    ) -> ProviderAnswer:
        if service is None:
            raise failed("provider_unreachable", f"the directory has no address of {asked.service}")
        grant = Grant(
            service.id, case.request.consumer, case.transaction_id, asked.purpose, permit.fields, permit.basis
        )
        token = sign_grant(grant, self._gateway, self._clock.now())
        return await self._provider.ask(Question(service, token, asked.individual, permit.fields, case.transaction_id))
