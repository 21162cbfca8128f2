"""Identifiers of the exchange (spec 1): agencies, services, publishers, topics, UUIDv7, pseudonyms."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import time
import uuid
from dataclasses import dataclass
from functools import lru_cache

from exchange.errors import IdentifierError

_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_AGENCY = rf"(?P<instance>[A-Z][A-Z0-9-]{{1,15}})/(?P<klass>GOV|MUN|COM|NGO)/(?P<member>{_NAME})"
_AGENCY_ID = re.compile(rf"{_AGENCY}(?:/(?P<subsystem>{_NAME}))?")
_NAMED = re.compile(rf"(?P<agency>{_AGENCY}/(?P<subsystem>{_NAME}))/(?P<name>{_NAME})")
_TOPIC = re.compile(
    rf"(?P<klass>gov|mun|com|ngo)\.(?P<member>{_NAME})\.(?P<subsystem>{_NAME})\.(?P<event>{_NAME})\.v(?P<major>[1-9][0-9]*)"
)
_SCHEME = re.compile(r"[a-z]{2}-[a-z0-9-]{2,30}")

RETRIES = ("retries-10s", "retries-1m", "retries-10m")
"""The last part of the names of an agency's back-off topics, in the order that a record passes through them."""


@dataclass(frozen=True, slots=True)
class AgencyId:
    """`INSTANCE/CLASS/MEMBER` or `INSTANCE/CLASS/MEMBER/SUBSYSTEM`."""

    instance: str
    klass: str
    member: str
    subsystem: str | None = None

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> AgencyId:
        """Raises IdentifierError."""
        match = _AGENCY_ID.fullmatch(text)
        if match is None:
            raise IdentifierError(
                f"{text!r} is not an agency: expected INSTANCE/CLASS/MEMBER[/SUBSYSTEM], e.g. UZ/GOV/interior/civil"
            )
        return cls(match["instance"], match["klass"], match["member"], match["subsystem"])

    @property
    def member_id(self) -> AgencyId:
        """The member this subsystem belongs to."""
        return AgencyId(self.instance, self.klass, self.member)

    @property
    def topic_prefix(self) -> str:
        """What this subsystem's topics start with, e.g. `gov.interior.civil.`."""
        return f"{self.klass.lower()}.{self.member}.{self.subsystem}."

    @property
    def dead_letter_topic(self) -> str:
        """Where this subsystem keeps records it refused."""
        return self.topic_prefix + "dead-letters"

    @property
    def redelivery_topic(self) -> str:
        """What this subsystem's groups are to read again, at once: retried letters, replays."""
        return self.topic_prefix + "redeliveries"

    @property
    def retry_topics(self) -> tuple[str, ...]:
        """What this subsystem's handlers try again later: after 10 seconds, a minute, ten minutes."""
        return tuple(self.topic_prefix + name for name in RETRIES)

    @property
    def own_topics(self) -> tuple[str, ...]:
        """The topics that this subsystem, and nobody else, may write: dead letters, redeliveries, retries."""
        return (self.dead_letter_topic, self.redelivery_topic, *self.retry_topics)

    def __str__(self) -> str:
        parts = [self.instance, self.klass, self.member]
        return "/".join([*parts, self.subsystem] if self.subsystem else parts)


@dataclass(frozen=True, slots=True)
class ServiceId:
    """`<agency with subsystem>/<service>`, e.g. `UZ/GOV/tax/registry/tax-standing`."""

    agency: AgencyId
    name: str

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> ServiceId:
        """Raises IdentifierError."""
        return cls(*_named(text, "a service", "UZ/GOV/tax/registry/tax-standing"))

    def __str__(self) -> str:
        return f"{self.agency}/{self.name}"


@dataclass(frozen=True, slots=True)
class PublisherId:
    """`<agency with subsystem>/<publisher>`, e.g. `UZ/GOV/customs/tariff/hs-nomenclature`."""

    agency: AgencyId
    name: str

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> PublisherId:
        """Raises IdentifierError."""
        return cls(*_named(text, "a publisher", "UZ/GOV/customs/tariff/hs-nomenclature"))

    def __str__(self) -> str:
        return f"{self.agency}/{self.name}"


@dataclass(frozen=True, slots=True)
class Topic:
    """`<class>.<member>.<subsystem>.<event>.v<major>`, e.g. `gov.interior.civil.residence-changed.v1`."""

    klass: str
    member: str
    subsystem: str
    event: str
    major: int

    @classmethod
    @lru_cache(maxsize=4096)
    def parse(cls, text: str) -> Topic:
        """Raises IdentifierError."""
        match = _TOPIC.fullmatch(text)
        if match is None:
            raise IdentifierError(
                f"{text!r} is not a topic: expected <class>.<member>.<subsystem>.<event>.v<major>, "
                "e.g. gov.interior.civil.residence-changed.v1"
            )
        return cls(match["klass"], match["member"], match["subsystem"], match["event"], int(match["major"]))

    @property
    def event_type(self) -> str:
        """`ce_type`: the topic without its version."""
        return str(self).rpartition(".")[0]

    @property
    def value_subject(self) -> str:
        """The registry's subject of this topic's values (TopicNameStrategy)."""
        return f"{self}-value"

    def owned_by(self, agency: AgencyId) -> bool:
        """Whether this topic carries that subsystem's name."""
        return str(self).startswith(agency.topic_prefix)

    def __str__(self) -> str:
        return f"{self.klass}.{self.member}.{self.subsystem}.{self.event}.v{self.major}"


@dataclass(frozen=True, slots=True)
class Identifier:
    """A person's or a company's number in a scheme, e.g. `uz-pinfl`. Never in a URL, a header, a label or a log."""

    scheme: str
    value: str

    def __post_init__(self) -> None:
        if _SCHEME.fullmatch(self.scheme) is None:
            raise IdentifierError(f"{self.scheme!r} is not an identifier scheme: expected e.g. uz-pinfl or uz-tin")
        if not self.value or len(self.value) > 128 or "\x00" in self.value:
            raise IdentifierError(f"an identifier of scheme {self.scheme} needs a value of 1 to 128 characters")

    def pseudonym(self, pepper: bytes) -> str:
        """26 characters of base32: the first 16 bytes of HMAC-SHA-256(pepper, scheme ‖ 0x00 ‖ value) (spec 1)."""
        digest = hmac.digest(pepper, f"{self.scheme}\x00{self.value}".encode(), hashlib.sha256)
        return base64.b32encode(digest[:16]).decode("ascii").rstrip("=").lower()

    def __repr__(self) -> str:
        return f"Identifier(scheme={self.scheme!r}, value=…)"


def uuid7(millis: int | None = None, random: bytes | None = None) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then 74 random bits; in canonical text."""
    stamp = time.time_ns() // 1_000_000 if millis is None else millis
    tail = int.from_bytes(os.urandom(10) if random is None else random, "big")
    number = (stamp & 0xFFFF_FFFF_FFFF) << 80 | tail
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=number))


def _named(text: str, what: str, example: str) -> tuple[AgencyId, str]:
    match = _NAMED.fullmatch(text)
    if match is None:
        raise IdentifierError(f"{text!r} is not {what}: expected <agency with subsystem>/<name>, e.g. {example}")
    return AgencyId.parse(match["agency"]), match["name"]
