"""One grant, byte for byte: what a gateway of any make must write, and a provider of any make must take."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exchange.connect.grant import verify_grant
from exchange.errors import RequestRefused
from exchange.gateway.grant import Grant, sign_grant
from exchange.ids import AgencyId, ServiceId
from exchange.transport.http import Credentials
from exchange.trust import Directory, SigningKey

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "grant.json").read_text())
NOW = datetime.fromtimestamp(VECTOR["iat"], UTC)


@pytest.fixture
def gateway():
    """Who signed the vector."""
    return Credentials(AgencyId.parse(VECTOR["gateway"]), SigningKey.from_seed(bytes.fromhex(VECTOR["seed"])))


@pytest.fixture
def directory(gateway):
    """A directory that knows the gateway."""
    key = {
        "public": gateway.signer.public.text,
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2027-01-01T00:00:00Z",
    }
    subsystem = {"name": gateway.agency.subsystem, "keys": [key]}
    content = {
        "instance": "UZ",
        "version": 1,
        "issued": "2026-01-01T00:00:00Z",
        "expires": "2027-01-01T00:00:00Z",
        "registry_url": "",
        "audit_log": {"origin": "", "url": "", "key": key},
        "gateways": [{"agency": str(gateway.agency), "url": ""}],
        "members": [{"id": str(gateway.agency.member_id), "name": "G", "status": "active", "subsystems": [subsystem]}],
    }
    return Directory.parse(json.dumps(content).encode(), "digest")


def verify(directory, token, now=NOW):
    """As the vector's service verifies it."""
    return verify_grant(
        token,
        service=ServiceId.parse(VECTOR["service"]),
        sender=AgencyId.parse(VECTOR["gateway"]),
        transaction_id=VECTOR["transaction_id"],
        directory=directory,
        now=now,
    )


def test_the_vectors_token_is_taken(directory):
    """With exactly the rights it names."""
    grant = verify(directory, VECTOR["token"])
    assert str(grant.consumer) == VECTOR["consumer"]
    assert (grant.purpose, list(grant.fields), grant.basis) == (
        VECTOR["purpose"],
        VECTOR["fields"],
        VECTOR["basis"],
    )
    assert grant.expires == NOW + timedelta(seconds=30)


def test_a_gateway_writes_the_vectors_token(gateway):
    """Every byte of it: canonical claims, one signature."""
    grant = Grant(
        ServiceId.parse(VECTOR["service"]),
        AgencyId.parse(VECTOR["consumer"]),
        VECTOR["transaction_id"],
        VECTOR["purpose"],
        frozenset(VECTOR["fields"]),
        VECTOR["basis"],
    )
    assert sign_grant(grant, gateway, NOW) == VECTOR["token"]


def test_the_vectors_parts_are_the_tokens(gateway):
    """Header, claims and signature are what the vector shows, in base64url without padding."""
    header, claims, signature = (decode(part) for part in VECTOR["token"].split("."))
    assert json.loads(header) == VECTOR["header"] == {"alg": "EdDSA", "typ": "exchange-grant+jwt", "kid": gateway.keyid}
    assert json.loads(claims) == VECTOR["claims"]
    signed = VECTOR["token"].rpartition(".")[0].encode()
    assert signature == gateway.signer.sign(signed)
    assert hashlib.sha256(signed).hexdigest() == VECTOR["signed_sha256"]


def test_the_vectors_token_lives_thirty_seconds(directory):
    """And not one more."""
    assert verify(directory, VECTOR["token"], NOW + timedelta(seconds=29))
    with pytest.raises(RequestRefused) as refusal:
        verify(directory, VECTOR["token"], NOW + timedelta(seconds=30))
    assert refusal.value.code == "grant_expired"


@pytest.mark.parametrize("name", sorted(VECTOR["refused"]))
def test_the_vectors_other_tokens_are_refused(directory, name):
    """Each by its own code."""
    with pytest.raises(RequestRefused) as refusal:
        verify(directory, VECTOR["refused"][name]["token"])
    assert refusal.value.code == VECTOR["refused"][name]["code"]


def decode(part):
    """base64url without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
