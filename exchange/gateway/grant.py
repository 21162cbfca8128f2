"""The grant (spec 6): a JWT by which a gateway tells a provider what one consumer may have, for half a minute.

BASE64URL(header) "." BASE64URL(claims) "." BASE64URL(signature over the two)          RFC 7515, no padding
header   {"alg": "EdDSA", "kid": "<gateway agency>#<fingerprint>", "typ": "exchange-grant+jwt"}
claims   {"iss": gateway, "aud": service, "sub": consumer, "jti": transaction id, "iat": s, "exp": s,
          "authorization_details": [{"type": "exchange-lookup", "purpose", "fields", "basis"}]}
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785

from exchange.consent import sorted_fields
from exchange.ids import AgencyId, ServiceId
from exchange.transport.http import Credentials

TYPE = "exchange-grant+jwt"
LIFETIME = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Grant:
    """What is granted: these fields of one service to one consumer, within one transaction."""

    service: ServiceId
    consumer: AgencyId
    transaction_id: str
    purpose: str
    fields: frozenset[str]
    basis: str


def sign_grant(grant: Grant, gateway: Credentials, now: datetime) -> str:
    """The grant as a compact JWT, good for 30 seconds from `now`."""
    gateway = gateway.current()
    header = {"alg": "EdDSA", "typ": TYPE, "kid": gateway.keyid}
    signing_input = f"{_segment(header)}.{_segment(_claims(grant, gateway, now))}"
    return f"{signing_input}.{_base64url(gateway.signer.sign(signing_input.encode('ascii')))}"


def _claims(grant: Grant, gateway: Credentials, now: datetime) -> dict[str, Any]:
    details = {
        "type": "exchange-lookup",
        "purpose": grant.purpose,
        "fields": sorted_fields(grant.fields),
        "basis": grant.basis,
    }
    return {
        "iss": str(gateway.agency),
        "aud": str(grant.service),
        "sub": str(grant.consumer),
        "jti": grant.transaction_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "authorization_details": [details],
    }


def _segment(value: Mapping[str, Any]) -> str:
    return _base64url(rfc8785.dumps(dict(value)))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
