"""The directory: who is who, and who may do what (spec 4). An immutable snapshot that every process reads.

Parsing takes the payload of a verified document; `exchange.trust.store` reads the signed file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from exchange.clock import parse_time
from exchange.errors import DirectoryExpired, DocumentInvalid, IdentifierError
from exchange.ids import AgencyId, PublisherId, ServiceId
from exchange.trust.keys import PublicKey


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an agency, a gateway or the audit log, and the time it is good for (both ends included)."""

    public: PublicKey
    not_before: datetime
    not_after: datetime

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether `moment` lies within the key's validity."""
        return self.not_before <= moment <= self.not_after


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """A topic, its one owner and those of its publishers that may write to it."""

    name: str
    owner: AgencyId
    publishers: frozenset[str]
    personal: bool
    compacted: bool
    partitions: int


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A lookup service: where its provider answers, and the fields it can give."""

    id: ServiceId
    url: str
    individual_scheme: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Caps:
    """How much of a purpose is too much; None is no cap."""

    per_individual_per_day: int | None = None
    per_consumer_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class PurposeGrant:
    """What an agreement allows for one purpose: fields, and the basis (`consent`, or a statute's reference)."""

    purpose: str
    fields: frozenset[str]
    statute: str | None
    caps: Caps
    hidden_until: datetime | None

    @property
    def basis(self) -> str:
        """`consent`, or `statute: <reference>`."""
        return "consent" if self.statute is None else f"statute: {self.statute}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a provider lets one consumer use: a service or a topic, per purpose, until a date."""

    provider: AgencyId
    consumer: AgencyId
    target: str
    valid_until: datetime
    purposes: dict[str, PurposeGrant]


@dataclass(frozen=True, slots=True)
class Agency:
    """A subsystem of a member: its keys, topics and services."""

    id: AgencyId
    name: str
    active: bool
    keys: tuple[Key, ...]
    topics: tuple[TopicEntry, ...]
    services: tuple[ServiceEntry, ...]

    def keys_at(self, moment: datetime) -> tuple[Key, ...]:
        """The keys that are valid at `moment`."""
        return tuple(key for key in self.keys if key.is_valid_at(moment))

    def key_by_id(self, keyid: str) -> Key | None:
        """The key that `keyid` (`<agency>#<fingerprint>`) names, or None."""
        return next((key for key in self.keys if key_id(self.id, key.public) == keyid), None)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway: an agency (it signs with its keys) that answers at `url`."""

    agency: AgencyId
    url: str


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The transparency log: its origin (a C2SP key name), where it answers, its key."""

    origin: str
    url: str
    key: Key


@dataclass(frozen=True, slots=True)
class Directory:
    """One signed state of the instance. `digest` is the SHA-256 of the signed payload, in hexadecimal."""

    instance: str
    version: int
    issued: datetime
    expires: datetime
    digest: str
    registry_url: str
    audit_log: AuditLog
    gateways: tuple[Gateway, ...]
    agencies: dict[AgencyId, Agency]
    agreements: tuple[Agreement, ...]
    _topics: dict[str, TopicEntry] = field(repr=False)
    _services: dict[ServiceId, ServiceEntry] = field(repr=False)
    _agreements: dict[tuple[AgencyId, str], Agreement] = field(repr=False)

    @classmethod
    def parse(cls, payload: bytes, digest: str) -> Directory:
        """Read a directory document's payload; raises DocumentInvalid with the path of what is wrong."""
        try:
            return _build(msgspec.json.decode(payload, type=_Directory), digest)
        except (msgspec.ValidationError, msgspec.DecodeError, IdentifierError, ValueError) as error:
            raise DocumentInvalid(f"the directory document is wrong: {error}") from None

    def require_current(self, now: datetime) -> None:
        """Raises DirectoryExpired once `now` is past the expiry."""
        if now >= self.expires:
            raise DirectoryExpired(
                f"the directory (version {self.version}) expired at {self.expires.isoformat()}: "
                "everything is denied until the operators sign a fresh one (exchange directory sign)"
            )

    def agency(self, agency: AgencyId) -> Agency | None:
        """A subsystem, or None where the directory does not know it."""
        return self.agencies.get(agency)

    def topic(self, name: str) -> TopicEntry | None:
        """A topic of the instance, or None."""
        return self._topics.get(name)

    def topics(self) -> Iterator[TopicEntry]:
        """Every topic of the instance."""
        return iter(self._topics.values())

    def service(self, service: ServiceId) -> ServiceEntry | None:
        """A lookup service, or None."""
        return self._services.get(service)

    def agreement(self, consumer: AgencyId, target: str) -> Agreement | None:
        """The agreement under which `consumer` uses a service or topic, whatever its dates; None without one."""
        return self._agreements.get((consumer, target))

    def is_gateway(self, agency: AgencyId) -> bool:
        """Whether an agency runs a gateway."""
        return any(gateway.agency == agency for gateway in self.gateways)


def key_id(agency: AgencyId, public: PublicKey) -> str:
    """`<agency>#<first 16 hexadecimal digits of SHA-256 of the public key>` (spec 5)."""
    return f"{agency}#{public.fingerprint}"


class _Key(msgspec.Struct, forbid_unknown_fields=True):
    public: str
    not_before: str
    not_after: str


class _Topic(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    publishers: list[str]
    personal: bool = False
    compacted: bool = False
    partitions: int = 1


class _Service(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    url: str
    individual_scheme: str
    fields: list[str]


class _Caps(msgspec.Struct, forbid_unknown_fields=True):
    per_individual_per_day: int | None = None
    per_consumer_per_hour: int | None = None


class _Purpose(msgspec.Struct, forbid_unknown_fields=True):
    purpose: str
    fields: list[str]
    statute: str | None = None
    caps: _Caps = msgspec.field(default_factory=_Caps)
    hidden_until: str | None = None


class _Agreement(msgspec.Struct, forbid_unknown_fields=True):
    consumer: str
    target: str
    valid_until: str
    purposes: list[_Purpose]


class _Subsystem(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    keys: list[_Key]
    topics: list[_Topic] = []
    services: list[_Service] = []
    agreements: list[_Agreement] = []


class _Member(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    status: str
    subsystems: list[_Subsystem]


class _Gateway(msgspec.Struct, forbid_unknown_fields=True):
    agency: str
    url: str


class _AuditLog(msgspec.Struct, forbid_unknown_fields=True):
    origin: str
    url: str
    key: _Key


class _Directory(msgspec.Struct, forbid_unknown_fields=True):
    instance: str
    version: int
    issued: str
    expires: str
    registry_url: str
    audit_log: _AuditLog
    gateways: list[_Gateway]
    members: list[_Member]


def _build(raw: _Directory, digest: str) -> Directory:
    agencies = {agency.id: agency for member in raw.members for agency in _agencies(member, raw.instance)}
    agreements = tuple(_agreements(raw))
    return Directory(
        instance=raw.instance,
        version=raw.version,
        issued=parse_time(raw.issued),
        expires=parse_time(raw.expires),
        digest=digest,
        registry_url=raw.registry_url,
        audit_log=AuditLog(raw.audit_log.origin, raw.audit_log.url, _key(raw.audit_log.key)),
        gateways=tuple(Gateway(AgencyId.parse(each.agency), each.url) for each in raw.gateways),
        agencies=agencies,
        agreements=agreements,
        _topics={topic.name: topic for agency in agencies.values() for topic in agency.topics},
        _services={service.id: service for agency in agencies.values() for service in agency.services},
        _agreements={(each.consumer, each.target): each for each in agreements},
    )


def _agencies(member: _Member, instance: str) -> Iterator[Agency]:
    member_id = AgencyId.parse(member.id)
    if member_id.instance != instance or member_id.subsystem is not None:
        raise ValueError(f"member {member.id} is not a member of instance {instance}")
    if member.status not in ("active", "suspended"):
        raise ValueError(f"member {member.id} has status {member.status!r}: expected active or suspended")
    for raw in member.subsystems:
        agency = AgencyId.parse(f"{member.id}/{raw.name}")
        yield Agency(
            id=agency,
            name=member.name,
            active=member.status == "active",
            keys=tuple(_key(key) for key in raw.keys),
            topics=tuple(_topic(topic, agency) for topic in raw.topics),
            services=tuple(_service(service, agency) for service in raw.services),
        )


def _key(raw: _Key) -> Key:
    return Key(PublicKey.parse(raw.public), parse_time(raw.not_before), parse_time(raw.not_after))


def _topic(raw: _Topic, agency: AgencyId) -> TopicEntry:
    if not raw.name.startswith(agency.topic_prefix):
        raise ValueError(f"topic {raw.name} does not start with {agency.topic_prefix}, its owner's prefix")
    publishers = frozenset(str(PublisherId.parse(f"{agency}/{name}")) for name in raw.publishers)
    return TopicEntry(raw.name, agency, publishers, raw.personal, raw.compacted, raw.partitions)


def _service(raw: _Service, agency: AgencyId) -> ServiceEntry:
    return ServiceEntry(ServiceId.parse(f"{agency}/{raw.name}"), raw.url, raw.individual_scheme, tuple(raw.fields))


def _agreements(raw: _Directory) -> Iterator[Agreement]:
    for member in raw.members:
        for subsystem in member.subsystems:
            for each in subsystem.agreements:
                yield _agreement(each, AgencyId.parse(f"{member.id}/{subsystem.name}"))


def _agreement(raw: _Agreement, provider: AgencyId) -> Agreement:
    grants = [_grant(purpose) for purpose in raw.purposes]
    return Agreement(
        provider=provider,
        consumer=AgencyId.parse(raw.consumer),
        target=raw.target,
        valid_until=parse_time(raw.valid_until),
        purposes={grant.purpose: grant for grant in grants},
    )


def _grant(raw: _Purpose) -> PurposeGrant:
    return PurposeGrant(
        purpose=raw.purpose,
        fields=frozenset(raw.fields),
        statute=raw.statute,
        caps=Caps(raw.caps.per_individual_per_day, raw.caps.per_consumer_per_hour),
        hidden_until=parse_time(raw.hidden_until) if raw.hidden_until else None,
    )


def parse_document(value: Any) -> _Directory:
    """Check plain data against the directory document's shape, before it is signed; raises DocumentInvalid."""
    try:
        raw = msgspec.convert(value, type=_Directory)
        _build(raw, "")
    except (msgspec.ValidationError, IdentifierError, ValueError) as error:
        raise DocumentInvalid(f"the directory document is wrong: {error}") from None
    return raw
