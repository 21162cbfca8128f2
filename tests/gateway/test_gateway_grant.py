"""The grant, read by an independent implementation of JWT."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from joserfc.errors import BadSignatureError

from exchange.connect.grant import verify_grant
from exchange.gateway import Grant, sign_grant
from exchange.ids import ServiceId
from exchange.transport.http import Credentials
from exchange.trust import SigningKey
from tests.fakes.instance import GATEWAY, PROCUREMENT, TAX_STANDING, FakeInstance
from tests.fakes.moving_clock import NOON
from tests.fakes.provider_app import grant_claims

KEY = SigningKey.from_seed(bytes(range(32)))
CREDENTIALS = Credentials(GATEWAY, KEY)
GRANT = Grant(
    service=ServiceId.parse(TAX_STANDING),
    consumer=PROCUREMENT,
    transaction_id="019abc00-0000-7000-8000-000000000001",
    purpose="tender-eligibility",
    fields=frozenset({"standing", "debt_uzs"}),
    basis="consent",
)


def test_a_grant_says_all_that_the_specification_has():
    """Header and claims are those of spec 6, the details those of RFC 9396."""
    header, claims = grant_claims(sign_grant(GRANT, CREDENTIALS, NOON), KEY.public)
    assert header == {"alg": "EdDSA", "typ": "exchange-grant+jwt", "kid": f"{GATEWAY}#{KEY.public.fingerprint}"}
    issued = int(NOON.timestamp())
    assert claims == {
        "iss": "UZ/GOV/egov/gateway",
        "aud": TAX_STANDING,
        "sub": "UZ/GOV/procurement/tenders",
        "jti": "019abc00-0000-7000-8000-000000000001",
        "iat": issued,
        "exp": issued + 30,
        "authorization_details": [
            {
                "type": "exchange-lookup",
                "purpose": "tender-eligibility",
                "fields": ["debt_uzs", "standing"],
                "basis": "consent",
            }
        ],
    }


def test_a_grant_is_three_parts_without_padding():
    """Compact serialization: base64url of canonical JSON, no padding, nothing that a URL or header would escape."""
    grant = sign_grant(GRANT, CREDENTIALS, NOON + timedelta(milliseconds=999))
    parts = grant.split(".")
    assert len(parts) == 3
    assert "=" not in grant
    header = base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4))
    assert header == json.dumps(json.loads(header), sort_keys=True, separators=(",", ":")).encode()


def test_a_changed_grant_does_not_verify():
    """One field more, put into a signed grant, breaks it."""
    header, claims, signature = sign_grant(GRANT, CREDENTIALS, NOON).split(".")
    content = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).replace(b"debt_uzs", b"legal_id")
    forged = ".".join([header, base64.urlsafe_b64encode(content).decode().rstrip("="), signature])
    with pytest.raises(BadSignatureError):
        grant_claims(forged, KEY.public)


def test_another_key_does_not_verify():
    """A grant is its gateway's alone."""
    grant = sign_grant(GRANT, Credentials(GATEWAY, SigningKey.generate()), NOON)
    with pytest.raises(BadSignatureError):
        grant_claims(grant, KEY.public)


@pytest.mark.parametrize("credentials", [FakeInstance.credentials, FakeInstance.rotating])
def test_a_provider_takes_the_grant(credentials):
    """What a gateway signs is what the adapter's provider verifies, also while its key is rotated."""
    instance = FakeInstance(NOON)
    grant = verify_grant(
        sign_grant(GRANT, credentials(instance, GATEWAY), NOON),
        service=GRANT.service,
        sender=GATEWAY,
        transaction_id=GRANT.transaction_id,
        directory=instance.directory(),
        now=NOON,
    )
    assert (grant.consumer, grant.purpose, set(grant.fields), grant.basis) == (
        PROCUREMENT,
        "tender-eligibility",
        GRANT.fields,
        "consent",
    )
