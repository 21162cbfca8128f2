"""What the gateway is asked and what it asks a provider: JSON bodies, parsed at the edge (spec 6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec

from exchange.clock import parse_time
from exchange.errors import ExchangeError, IdentifierError
from exchange.ids import AgencyId, Identifier, ServiceId, Topic
from exchange.transport.web import malformed

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
_Purpose = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
_Fields = Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Individual(msgspec.Struct, forbid_unknown_fields=True):
    scheme: str
    value: str


class _Lookup(msgspec.Struct, forbid_unknown_fields=True):
    service: _Text
    individual: _Individual
    purpose: _Purpose
    fields: _Fields
    case_reference: _Text


class _ConsentKey(msgspec.Struct, forbid_unknown_fields=True):
    individual: _Individual
    consumer: _Text
    service: _Text
    purpose: _Purpose


class _Consent(_ConsentKey, forbid_unknown_fields=True):
    fields: _Fields
    language: _Text
    notice_digest: _Text
    valid_until: _Text


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """`POST /v1/lookups`: fields of one individual, for a purpose and a case of the consumer's."""

    service: ServiceId
    individual: Identifier
    purpose: str
    fields: frozenset[str]
    case_reference: str


@dataclass(frozen=True, slots=True)
class ConsentSelector:
    """Which consent is meant; `target` is a service or a topic."""

    individual: Identifier
    consumer: AgencyId
    target: str
    purpose: str


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """`POST /v1/consents`: a consent to record."""

    selector: ConsentSelector
    fields: frozenset[str]
    language: str
    notice_digest: str
    valid_until: datetime


def parse_lookup(body: bytes) -> LookupRequest:
    """Raises an error of code `request_malformed` that names the place and never a value."""
    raw = _decode(body, _Lookup)
    try:
        service = ServiceId.parse(raw.service)
    except IdentifierError as error:
        raise malformed(f"$.service: {error.message}") from None
    return LookupRequest(service, _individual(raw.individual), raw.purpose, frozenset(raw.fields), raw.case_reference)


def parse_selector(body: bytes) -> ConsentSelector:
    """The body of `/v1/consents/withdraw`, `pause`, `resume`, `show`; raises as `parse_lookup` does."""
    return _selector(_decode(body, _ConsentKey))


def parse_consent_request(body: bytes) -> ConsentRequest:
    """The body of `/v1/consents`; raises as `parse_lookup` does."""
    raw = _decode(body, _Consent)
    try:
        valid_until = parse_time(raw.valid_until)
    except ValueError:
        raise malformed("$.valid_until: expected an RFC 3339 UTC time, e.g. 2027-01-31T00:00:00Z") from None
    return ConsentRequest(_selector(raw), frozenset(raw.fields), raw.language, raw.notice_digest, valid_until)


def encode_question(grant: str, individual: Identifier, fields: frozenset[str]) -> bytes:
    """The body of a provider's `POST /v1/lookups`."""
    person = {"scheme": individual.scheme, "value": individual.value}
    return msgspec.json.encode({"grant": grant, "individual": person, "fields": sorted(fields)})


def parse_answer(body: bytes) -> dict[str, Any]:
    """The data of a provider's answer; raises an error of code `request_malformed`."""
    return _decode(body, _Answer).data


_T = TypeVar("_T")


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise malformed(f"the body is not what is expected here: {error}") from None


def _individual(raw: _Individual) -> Identifier:
    try:
        return Identifier(raw.scheme, raw.value)
    except IdentifierError:
        raise malformed("$.individual: expected a scheme such as uz-pinfl and a value of 1 to 128 characters") from None


def _selector(raw: _ConsentKey) -> ConsentSelector:
    try:
        consumer = AgencyId.parse(raw.consumer)
        target = _target(raw.service)
    except IdentifierError as error:
        raise malformed(f"$.consumer or $.service: {error.message}") from None
    return ConsentSelector(_individual(raw.individual), consumer, target, raw.purpose)


def _target(text: str) -> str:
    return str(ServiceId.parse(text)) if "/" in text else str(Topic.parse(text))


def require_scheme(individual: Identifier, expected: str) -> None:
    """The service knows individuals by one scheme: another one's number would never match a consent."""
    if individual.scheme != expected:
        raise _other_scheme(expected)


def _other_scheme(expected: str) -> ExchangeError:
    return malformed(f"$.individual.scheme: this service knows individuals by {expected}")
