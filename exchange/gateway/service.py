"""One gateway, wired: the consents, the caps, the audit trail, and the application over them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

from starlette.applications import Starlette

from exchange.audit import audit_topic
from exchange.clock import Clock, to_unix_millis
from exchange.consent import (
    CONSENT_TOPIC,
    ConsentLedger,
    KafkaConsentTopic,
    TopicDocument,
    VerifiedConsents,
    consent_topic_spec,
)
from exchange.gateway.app import build_app
from exchange.gateway.caps import CapCounters
from exchange.gateway.consents import Consents
from exchange.gateway.history import replay_entries
from exchange.gateway.lookup import Lookups
from exchange.gateway.metrics import CONSENT_VIEW_AGE
from exchange.gateway.ports import AuditTrail
from exchange.gateway.provider import HttpProvider
from exchange.gateway.trail import ConsentWitness, GatewayTrail
from exchange.gateway.trail_audit import AuditTopicTrail
from exchange.ids import uuid7
from exchange.settings import GatewaySettings
from exchange.transport.http import Credentials, HttpClient, TransactionWindow
from exchange.transport.kafka import ensure_topics
from exchange.transport.web import SignedEndpoints
from exchange.trust import Directory

_CAP_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """What a gateway is given: where Kafka is, the directory as it is now, its own key, the instance's pepper.

    `http` outlives the service; its own timeout is longer than `settings.provider_timeout_seconds`.
    """

    bootstrap: str
    directory: Callable[[], Directory]
    credentials: Credentials
    pepper: bytes = field(repr=False)
    clock: Clock
    http: HttpClient
    settings: GatewaySettings
    consent_topic: str = CONSENT_TOPIC


class GatewayService:
    """A gateway while the block runs; `app` is what to serve.

    Entering returns once every consent is known and the caps are counted; raises BrokerUnreachable, SettingsError
    or TransportError. `audit` stands in for the audit topic where a caller has a trail of its own.
    """

    def __init__(self, context: GatewayContext, audit: AuditTrail | None = None) -> None:
        self._context = context
        self._own_audit = audit
        self._stack = AsyncExitStack()
        self._counters = CapCounters()
        self._topic = KafkaConsentTopic(context.bootstrap, self._apply, context.clock, context.consent_topic)
        stale_after = timedelta(seconds=context.settings.consent_stale_seconds)
        self._view = VerifiedConsents(context.directory, self._topic.current_at, stale_after)
        self._app: Starlette | None = None

    async def __aenter__(self) -> Self:
        try:
            self._app = await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        CONSENT_VIEW_AGE.set_function(self._view_age)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._app = None
        await self._stack.aclose()

    @property
    def app(self) -> Starlette:
        """The application; only while the block runs."""
        if self._app is None:
            raise RuntimeError("the gateway's application is there only inside its `async with` block")
        return self._app

    def not_ready(self) -> str | None:
        """What is missing before lookups can be answered; None when nothing is."""
        if self._app is None:
            return "starting: reading consents and counting caps"
        now = self._context.clock.now()
        if now >= self._context.directory().expires:
            return "the directory has expired: the operators sign a fresh one (exchange directory sign)"
        if self._view.is_stale(now):
            return "the consents are not up to date: Kafka does not answer"
        return None

    async def wait_stopped(self) -> None:
        """Returns only by raising what ended the following of consents: the process should end, and start anew."""
        await self._topic.wait_stopped()

    async def _start(self) -> Starlette:
        context = self._context
        await ensure_topics(context.bootstrap, [consent_topic_spec(context.consent_topic)])
        audit = self._own_audit or await self._open_audit()
        await self._stack.enter_async_context(self._topic)
        return self._build(audit)

    async def _open_audit(self) -> AuditTrail:
        context = self._context
        trail = await self._stack.enter_async_context(
            AuditTopicTrail(context.bootstrap, context.credentials, context.directory)
        )
        topic, since = audit_topic(context.credentials.agency), context.clock.now() - _CAP_WINDOW
        await replay_entries(context.bootstrap, topic, since, context.directory(), self._counters.recount)
        return trail

    def _build(self, audit: AuditTrail) -> Starlette:
        signed = SignedEndpoints(
            "gateway",
            self._context.directory,
            self._context.credentials,
            self._context.clock,
            TransactionWindow(self._context.clock.now()),
        )
        return build_app(self._lookups(audit), self._consents(audit), signed, self.not_ready)

    def _lookups(self, audit: AuditTrail) -> Lookups:
        context = self._context
        directory, clock = context.directory, context.clock
        provider = HttpProvider(
            context.http, context.credentials, directory, clock, context.settings.provider_timeout_seconds
        )
        trail = GatewayTrail(context.credentials.agency, audit, clock, self._new_id)
        return Lookups(
            context.credentials, context.pepper, directory, self._view, self._counters, trail, provider, clock
        )

    def _consents(self, audit: AuditTrail) -> Consents:
        context = self._context
        agency, directory = context.credentials.agency, context.directory
        witness = ConsentWitness(agency, audit, directory, context.clock, self._new_id)
        ledger = ConsentLedger(
            agency, context.credentials.signer, self._view, self._topic, witness, context.clock, self._new_id
        )
        return Consents(agency, context.pepper, directory, ledger)

    def _apply(self, document: TopicDocument) -> None:
        self._view.apply(document)

    def _view_age(self) -> float:
        age = self._view.age(self._context.clock.now())
        return float("nan") if age is None else age.total_seconds()

    def _new_id(self) -> str:
        return uuid7(to_unix_millis(self._context.clock.now()), os.urandom(10))
