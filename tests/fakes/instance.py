"""A small instance: agencies with keys, services, agreements, a gateway; its directory can be changed in place."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from exchange.clock import format_micros
from exchange.ids import AgencyId
from exchange.transport.http import Credentials
from exchange.trust import Directory, SigningKey
from tests.fakes.restless_signer import RestlessSigner

TAX_STANDING = "UZ/GOV/tax/registry/tax-standing"
RESIDENCE = "UZ/GOV/interior/civil/residence"
RESIDENCE_TOPIC = "gov.interior.civil.residence-changed.v1"
PROCUREMENT = AgencyId.parse("UZ/GOV/procurement/tenders")
SOCIAL = AgencyId.parse("UZ/GOV/social/benefits")
TAX = AgencyId.parse("UZ/GOV/tax/registry")
INTERIOR = AgencyId.parse("UZ/GOV/interior/civil")
GATEWAY = AgencyId.parse("UZ/GOV/egov/gateway")
CONSENT_PURPOSE = "tender-eligibility"
STATUTE_PURPOSE = "benefit-assignment"


class FakeInstance:
    """Its agencies' keys, and the directory that `edit` changes. `gateway` takes another member's name for tests
    that share a Kafka."""

    def __init__(
        self, now: datetime, *, gateway: AgencyId = GATEWAY, seeds: Mapping[AgencyId, bytes] | None = None
    ) -> None:
        self.now = now
        self.gateway = gateway
        agencies = (gateway, TAX, INTERIOR, PROCUREMENT, SOCIAL)
        self.seeds = seeds or {agency: os.urandom(32) for agency in agencies}
        self.keys = {agency: SigningKey.from_seed(self.seeds[agency]) for agency in agencies}
        self.content = self._content()
        self._directory = self._parse()

    def directory(self) -> Directory:
        """The directory as it is now: a provider of it, to hand to what asks for one."""
        return self._directory

    def credentials(self, agency: AgencyId) -> Credentials:
        """What an agency of the instance signs with."""
        return Credentials(agency, self.keys[agency])

    def rotating(self, agency: AgencyId) -> Credentials:
        """Credentials in the middle of a rotation: a second key is in the directory, and each look meets the other."""
        key = SigningKey.generate()
        more = {**self._key(agency), "public": key.public.text}
        self.edit(lambda content: self.subsystem(content, agency)["keys"].append(more))
        return Credentials(agency, RestlessSigner([self.keys[agency], key]))

    def edit(self, change: Callable[[dict[str, Any]], None]) -> Directory:
        """Change the directory's document; everyone reads the next version from now on."""
        content = copy.deepcopy(self.content)
        change(content)
        content["version"] += 1
        self.content = content
        self._directory = self._parse()
        return self._directory

    def member(self, content: dict[str, Any], agency: AgencyId) -> dict[str, Any]:
        """A member's part of the document, for `edit`."""
        return next(each for each in content["members"] if each["id"] == str(agency.member_id))

    def subsystem(self, content: dict[str, Any], agency: AgencyId) -> dict[str, Any]:
        """A subsystem's part of the document, for `edit`."""
        subsystems = self.member(content, agency)["subsystems"]
        return next(each for each in subsystems if each["name"] == agency.subsystem)

    def at_urls(self, *, provider: str, gateway: str) -> None:
        """Say where the providers and the gateway answer."""

        def change(content: dict[str, Any]) -> None:
            for agency in (TAX, INTERIOR):
                self.subsystem(content, agency)["services"][0]["url"] = provider
            content["gateways"][0]["url"] = gateway

        self.edit(change)

    def _parse(self) -> Directory:
        payload = msgspec.json.encode(self.content)
        return Directory.parse(payload, hashlib.sha256(payload).hexdigest())

    def _content(self) -> dict[str, Any]:
        return {
            "instance": "UZ",
            "version": 1,
            "issued": format_micros(self.now - timedelta(days=1)),
            "expires": format_micros(self.now + timedelta(days=7)),
            "registry_url": "http://127.0.0.1:1",
            "audit_log": {"origin": "log.example", "url": "http://127.0.0.1:1", "key": self._key(self.gateway)},
            "gateways": [{"agency": str(self.gateway), "url": "http://127.0.0.1:1"}],
            "members": [
                self._member(self.gateway),
                self._member(PROCUREMENT),
                self._member(SOCIAL),
                self._member(TAX, **_tax_part(self.now)),
                self._member(INTERIOR, **_interior_part(self.now)),
            ],
        }

    def _member(self, agency: AgencyId, **subsystem: Any) -> dict[str, Any]:
        part = {"name": agency.subsystem, "keys": [self._key(agency)], **subsystem}
        return {"id": str(agency.member_id), "name": agency.member, "status": "active", "subsystems": [part]}

    def _key(self, agency: AgencyId) -> dict[str, Any]:
        return {
            "public": self.keys[agency].public.text,
            "not_before": format_micros(self.now - timedelta(days=30)),
            "not_after": format_micros(self.now + timedelta(days=30)),
        }


def _tax_part(now: datetime) -> dict[str, Any]:
    consent = {"purpose": CONSENT_PURPOSE, "fields": ["standing", "debt_uzs"]}
    capped = {
        "purpose": "capped",
        "fields": ["standing"],
        "statute": "Tax Code, art. 1",
        "caps": {"per_individual_per_day": 2, "per_consumer_per_hour": 3},
    }
    return {
        "services": [
            {
                "name": "tax-standing",
                "url": "http://127.0.0.1:1",
                "individual_scheme": "uz-tin",
                "fields": ["standing", "debt_uzs", "legal_name"],
            }
        ],
        "agreements": [_agreement(now, PROCUREMENT, TAX_STANDING, consent, capped)],
    }


def _interior_part(now: datetime) -> dict[str, Any]:
    statute = {
        "purpose": STATUTE_PURPOSE,
        "fields": ["region_code", "district_code"],
        "statute": "Law on social protection, art. 9",
    }
    follow = {"purpose": "notify", "fields": ["region_code"]}
    return {
        "topics": [{"name": RESIDENCE_TOPIC, "publishers": ["residences"], "personal": True}],
        "services": [
            {
                "name": "residence",
                "url": "http://127.0.0.1:1",
                "individual_scheme": "uz-pinfl",
                "fields": ["region_code", "district_code", "address"],
            }
        ],
        "agreements": [
            _agreement(now, SOCIAL, RESIDENCE, statute),
            _agreement(now, SOCIAL, RESIDENCE_TOPIC, follow),
        ],
    }


def _agreement(now: datetime, consumer: AgencyId, target: str, *purposes: dict[str, Any]) -> dict[str, Any]:
    return {
        "consumer": str(consumer),
        "target": target,
        "valid_until": format_micros(now + timedelta(days=365)),
        "purposes": list(purposes),
    }
