"""A whole gateway without Kafka: real lookups, consents and application over a topic and a trail in memory."""

from __future__ import annotations

import base64
import itertools
import os
from typing import Any

import msgspec

from exchange.consent import ConsentLedger, VerifiedConsents
from exchange.gateway import CapCounters, Provider, build_app
from exchange.gateway.consents import Consents
from exchange.gateway.lookup import Lookups
from exchange.gateway.trail import ConsentWitness, GatewayTrail
from exchange.ids import AgencyId, uuid7
from exchange.transport.http import TransactionWindow, VerifiedRequest
from exchange.transport.web import SignedEndpoints
from tests.fakes.audit_trail import MemoryAuditTrail
from tests.fakes.consent_topic import MemoryConsentTopic
from tests.fakes.instance import CONSENT_PURPOSE, PROCUREMENT, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import MovingClock

PEPPER = b"pepper of the tests"
TIN = "301234567"


class MemoryGateway:
    """Its parts are there to look at; `app` is what to serve."""

    def __init__(self, instance: FakeInstance, clock: MovingClock, provider: Provider) -> None:
        gateway, directory = instance.credentials(instance.gateway), instance.directory
        self.audit = MemoryAuditTrail()
        self.counters = CapCounters()
        self._view = VerifiedConsents(directory, lambda: self.topic.current_at())
        self.topic = MemoryConsentTopic(self._view.apply, clock)
        new_id = self._ids().__next__
        witness = ConsentWitness(gateway.agency, self.audit, directory, clock, new_id)
        ledger = ConsentLedger(gateway.agency, gateway.signer, self._view, self.topic, witness, clock, new_id)
        trail = GatewayTrail(gateway.agency, self.audit, clock, new_id)
        self.consents = Consents(gateway.agency, PEPPER, directory, ledger)
        self.lookups = Lookups(gateway, PEPPER, directory, self._view, self.counters, trail, provider, clock)
        signed = SignedEndpoints("gateway", directory, gateway, clock, TransactionWindow(clock.now()))
        self.app = build_app(self.lookups, self.consents, signed, lambda: None)
        self._clock = clock

    def sender(self, agency: AgencyId = PROCUREMENT) -> VerifiedRequest:
        """An authenticated request of an agency."""
        signature = f":{base64.b64encode(os.urandom(64)).decode()}:"
        return VerifiedRequest(agency, uuid7(), self._clock.now(), signature)

    def _ids(self):
        return (uuid7(1, number.to_bytes(10, "big")) for number in itertools.count())


def lookup_body(**change: Any) -> bytes:
    """A lookup of the bidder's standing, with changes."""
    body = {
        "service": TAX_STANDING,
        "individual": {"scheme": "uz-tin", "value": TIN},
        "purpose": CONSENT_PURPOSE,
        "fields": ["standing"],
        "case_reference": "tender 17",
    }
    return msgspec.json.encode({**body, **change})


def consent_body(**change: Any) -> bytes:
    """The bidder's consent to procurement, with changes."""
    body = {
        "individual": {"scheme": "uz-tin", "value": TIN},
        "consumer": str(PROCUREMENT),
        "service": TAX_STANDING,
        "purpose": CONSENT_PURPOSE,
        "fields": ["standing"],
        "language": "uz-Latn",
        "notice_digest": "0" * 64,
        "valid_until": "2027-11-22T12:00:00Z",
    }
    return msgspec.json.encode({**body, **change})
