"""Grants (spec 6): the gateway's word that one lookup was decided, as a JWT that only its provider can use, once.

    header  {"alg": "EdDSA", "typ": "exchange-grant+jwt", "kid": "<gateway's agency>#<fingerprint>"}
    claims  iss gateway, aud service, sub consumer, jti transaction id, iat, exp (nbf),
            authorization_details [{"type": "exchange-lookup", "purpose", "fields", "basis"}]

Verification, in this order, each step its own code: grant_malformed · grant_issuer_unknown · grant_issuer_mismatch ·
grant_key_invalid · grant_signature_invalid · grant_audience_mismatch · grant_expired · grant_not_yet_valid ·
grant_transaction_mismatch · grant_details_invalid · grant_used.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from exchange.errors import IdentifierError, RequestRefused, SignatureInvalid
from exchange.ids import AgencyId, ServiceId
from exchange.trust import Directory, Key

LONGEST = timedelta(seconds=60)
"""The longest a grant may be good for; the gateway gives 30 s."""

SKEW = timedelta(seconds=30)
"""How far the gateway's clock may be ahead of ours (the window of spec 5)."""

_LONGEST_TOKEN = 16 * 1024


@dataclass(frozen=True, slots=True)
class Grant:
    """A verified grant."""

    gateway: AgencyId
    consumer: AgencyId
    service: ServiceId
    transaction_id: str
    purpose: str
    fields: tuple[str, ...]
    basis: str
    expires: datetime


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: Literal["EdDSA"]
    typ: Literal["exchange-grant+jwt"]
    kid: str


class _Detail(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["exchange-lookup"]
    purpose: str
    fields: list[str]
    basis: str


class _Claims(msgspec.Struct):
    iss: str
    aud: str
    sub: str
    jti: str
    iat: int
    exp: int
    authorization_details: list[_Detail]
    nbf: int | None = None


def verify_grant(
    token: str,
    *,
    service: ServiceId,
    sender: AgencyId,
    transaction_id: str,
    directory: Directory,
    now: datetime,
) -> Grant:
    """The grant, once every step held; `sender` signed the request that carries it. Raises RequestRefused."""
    header, claims, signed, signature = _parse(token)
    key = _find_key(header, claims, sender, directory, now)
    _verify_signature(key, signature, signed)
    if claims.aud != str(service):
        raise _refused("grant_audience_mismatch", f"the grant is for {claims.aud[:200]}; this is {service}")
    _verify_time(claims, now)
    if claims.jti != transaction_id:
        raise _refused("grant_transaction_mismatch", "the grant is of another transaction than the request")
    detail = _detail(claims)
    return Grant(
        gateway=sender,
        consumer=_agency(claims.sub),
        service=service,
        transaction_id=claims.jti,
        purpose=detail.purpose,
        fields=tuple(detail.fields),
        basis=detail.basis,
        expires=_moment(claims.exp),
    )


class UsedGrants:
    """Each grant is taken once: its id is remembered until it has expired."""

    def __init__(self) -> None:
        self._used: dict[str, datetime] = {}

    def use(self, grant: Grant, now: datetime) -> None:
        """Raises RequestRefused (`grant_used`) the second time."""
        for known in [each for each, expires in self._used.items() if expires <= now]:
            del self._used[known]
        if grant.transaction_id in self._used:
            raise _refused("grant_used", f"the grant of transaction {grant.transaction_id} was used before")
        self._used[grant.transaction_id] = grant.expires


def _parse(token: str) -> tuple[_Header, _Claims, bytes, bytes]:
    parts = token.split(".") if len(token) <= _LONGEST_TOKEN else []
    if len(parts) != 3:
        raise _refused("grant_malformed", "the grant is not a JWT in compact form")
    try:
        header = msgspec.json.decode(_decode(parts[0]), type=_Header)
        claims = msgspec.json.decode(_decode(parts[1]), type=_Claims)
        return header, claims, f"{parts[0]}.{parts[1]}".encode(), _decode(parts[2])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise _refused("grant_malformed", "the grant's header or claims are not those of spec 6") from None


def _decode(part: str) -> bytes:
    """base64url without padding; one text only for the same bytes."""
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != part.encode():
        raise ValueError("not canonical base64url")
    return raw


def _find_key(header: _Header, claims: _Claims, sender: AgencyId, directory: Directory, now: datetime) -> Key:
    issuer = _agency(claims.iss)
    if not directory.is_gateway(issuer):
        raise _refused("grant_issuer_unknown", f"{issuer} is not a gateway of the directory")
    if issuer != sender:
        raise _refused("grant_issuer_mismatch", f"the grant is {issuer}'s, the request {sender}'s")
    agency = directory.agency(issuer)
    key = agency.key_by_id(header.kid) if agency and agency.active else None
    if key is None or not key.is_valid_at(now):
        raise _refused("grant_key_invalid", f"{header.kid[:200]} is not a key of {issuer} that is valid now")
    return key


def _agency(text: str) -> AgencyId:
    try:
        return AgencyId.parse(text)
    except IdentifierError:
        raise _refused("grant_malformed", "the grant's iss and sub must name agencies") from None


def _verify_signature(key: Key, signature: bytes, signed: bytes) -> None:
    try:
        key.public.verify(signature, signed)
    except SignatureInvalid:
        raise _refused("grant_signature_invalid", "the grant's signature does not verify: it was altered") from None


def _verify_time(claims: _Claims, now: datetime) -> None:
    issued, expires = _moment(claims.iat), _moment(claims.exp)
    if now >= expires:
        raise _refused("grant_expired", f"the grant expired at {expires.isoformat()}")
    if expires - issued > LONGEST:
        raise _refused("grant_malformed", f"the grant is good for more than {LONGEST.seconds} s")
    if now + SKEW < max(issued, _moment(claims.nbf or 0)):
        raise _refused("grant_not_yet_valid", "the grant is not valid yet: set the clocks (NTP)")


def _detail(claims: _Claims) -> _Detail:
    details = claims.authorization_details
    if len(details) != 1 or not details[0].fields or not details[0].purpose or not details[0].basis:
        raise _refused("grant_details_invalid", "the grant must name one lookup: its purpose, fields and basis")
    return details[0]


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise _refused("grant_malformed", "the grant's times are no times") from None


def _refused(code: str, message: str) -> RequestRefused:
    return RequestRefused(message, code=code)
