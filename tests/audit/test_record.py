"""Entries as they are kept: who signed them, and what the public log has of them."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.audit import AuditRecord, leaf_data, sign_entry, verify_entry
from exchange.audit.record import KIND, require_acceptable
from exchange.clock import format_micros
from exchange.errors import DocumentInvalid
from exchange.ids import AgencyId
from exchange.transport.http import Credentials
from exchange.trust import sign_document
from tests.fakes.restless_signer import RestlessSigner

from .world import GATEWAY_KEY, OTHER_KEY, TAX, World, salt_of


@pytest.fixture
def world() -> World:
    return World()


def test_a_gateways_entry_verifies(world: World) -> None:
    """What a gateway signed comes back as its entry, with the bytes that were signed."""
    verified = verify_entry(world.record(7), world.directory())
    assert verified.entry == world.entry(7)
    assert verified.payload == world.entry(7).encode()


def test_an_entry_signed_while_a_key_is_rotated_verifies(world: World) -> None:
    """The record names the key that signed it, whichever of two that was."""
    gateway = next(each for each in world.content["members"] if each["id"] == str(world.gateway.member_id))
    gateway["subsystems"][0]["keys"].append(world.key(OTHER_KEY))
    credentials = Credentials(world.gateway, RestlessSigner([GATEWAY_KEY, OTHER_KEY]))
    for number in range(2):
        record = sign_entry(world.entry(number), credentials, salt_of(number))
        assert verify_entry(record, world.directory()).entry == world.entry(number)


def test_the_leaf_is_the_hash_of_salt_and_entry(world: World) -> None:
    """The leaf is as spec 9 writes it, byte for byte."""
    verified = verify_entry(world.record(7), world.directory())
    data = hashlib.sha256(b"exchange-audit-v1\n" + salt_of(7) + world.entry(7).encode()).digest()
    assert verified.leaf_data == data
    assert verified.leaf == hashlib.sha256(b"\x00" + data).digest()


@given(salt=st.binary(min_size=16, max_size=16), other=st.binary(min_size=16, max_size=16))
def test_the_same_entry_under_another_salt_is_another_leaf(salt: bytes, other: bytes) -> None:
    """Nobody can look a guessed entry up without its salt."""
    assert (leaf_data(salt, b"entry") == leaf_data(other, b"entry")) == (salt == other)


def test_a_salt_of_another_length_is_no_salt() -> None:
    """A short salt would let the entry's first bytes be read as salt."""
    with pytest.raises(ValueError, match="16 bytes"):
        leaf_data(b"short", b"entry")


def test_a_record_reads_back(world: World) -> None:
    """The value on the topic gives the document and the salt again, unchanged."""
    record = world.record(1)
    assert AuditRecord.parse(record.encode()) == record
    assert record.payload == world.entry(1).encode()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff",
        b"{}",
        b'{"document":{},"salt":"AAAA"}',
        b'{"document":{},"salt":"!"}',
        b'{"document":{},"salt":"AAAAAAAAAAAAAAAAAAAAAB=="}',
        b'{"document":{},"salt":"AAAAAAAAAAAAAAAAAAAAAA==","more":1}',
        b'{"document":' + b"[" * 50_000 + b"]" * 50_000 + b',"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}',
    ],
)
def test_a_malformed_record_is_refused(value: bytes) -> None:
    """What is no document with a salt is no record."""
    with pytest.raises(DocumentInvalid):
        AuditRecord.parse(value)


def test_an_altered_entry_is_refused(world: World) -> None:
    """One changed character of the entry breaks the gateway's signature."""
    record = world.record()
    envelope = msgspec.json.decode(record.document)
    payload = base64.b64decode(envelope["payload"]).replace(b"permit", b"denied")
    envelope["payload"] = base64.b64encode(payload).decode()
    with pytest.raises(DocumentInvalid, match="altered"):
        verify_entry(AuditRecord(msgspec.json.encode(envelope), record.salt), world.directory())


def test_an_agency_that_runs_no_gateway_signs_no_entries(world: World) -> None:
    """A good signature of a member that is no gateway is refused by name."""
    record = sign_entry(world.entry(gateway=TAX), Credentials(TAX, OTHER_KEY), salt_of(0))
    with pytest.raises(DocumentInvalid, match="UZ/GOV/tax/registry, which is no gateway"):
        verify_entry(record, world.directory())


def test_an_agency_that_is_not_in_the_directory_signs_no_entries(world: World) -> None:
    """A stranger's entry is refused."""
    stranger = AgencyId.parse("UZ/GOV/nobody/gateway")
    record = sign_entry(world.entry(gateway=stranger), Credentials(stranger, OTHER_KEY), salt_of(0))
    with pytest.raises(DocumentInvalid, match="no gateway of the directory"):
        verify_entry(record, world.directory())


def test_a_key_that_the_directory_does_not_have_signs_no_entries(world: World) -> None:
    """A gateway's name under another key is refused."""
    record = sign_entry(world.entry(), Credentials(world.gateway, OTHER_KEY), salt_of(0))
    with pytest.raises(DocumentInvalid, match="does not have"):
        verify_entry(record, world.directory())


def test_a_gateway_signs_only_its_own_entries(world: World) -> None:
    """An entry in another gateway's name is refused even under a good key."""
    record = sign_entry(world.entry(gateway=TAX), world.credentials, salt_of(0))
    with pytest.raises(DocumentInvalid, match="names gateway UZ/GOV/tax/registry"):
        verify_entry(record, world.directory())


@pytest.mark.parametrize("days", [-31, 31])
def test_a_key_signs_entries_of_its_own_time_alone(world: World, days: int) -> None:
    """An entry from before or after the key's validity is refused."""
    with pytest.raises(DocumentInvalid, match="not valid at the entry's time"):
        verify_entry(world.record(time=world.now + timedelta(days=days)), world.directory())


def test_an_expired_key_still_verifies_what_it_signed_in_time(world: World) -> None:
    """Years later an entry counts as it did when it was made."""
    record = world.record(time=world.now - timedelta(days=10))
    key = world.content["members"][0]["subsystems"][0]["keys"][0]
    key["not_after"] = format_micros(world.now - timedelta(days=1))
    assert verify_entry(record, world.directory()).entry.time == world.now - timedelta(days=10)


@pytest.mark.parametrize("signers", [0, 2])
def test_an_entry_has_one_signature(world: World, signers: int) -> None:
    """No signature, or a second one beside the gateway's, is refused."""
    keys = [(world.credentials.keyid, GATEWAY_KEY), (f"{TAX}#0000000000000000", OTHER_KEY)][:signers]
    document = sign_document(KIND, world.entry().content(), keys)
    with pytest.raises(DocumentInvalid, match="one signature"):
        verify_entry(AuditRecord(document, salt_of(0)), world.directory())


@pytest.mark.parametrize("keyid", ["", "nobody", "nobody#00", "UZ/GOV/egov#0000000000000000"])
def test_a_key_id_that_names_no_gateway_is_refused(world: World, keyid: str) -> None:
    """A key id is an agency and a fingerprint."""
    document = sign_document(KIND, world.entry().content(), [(keyid, GATEWAY_KEY)])
    with pytest.raises(DocumentInvalid):
        verify_entry(AuditRecord(document, salt_of(0)), world.directory())


def test_a_signed_document_that_is_no_entry_is_refused(world: World) -> None:
    """A gateway's signature under something else makes no entry of it."""
    document = sign_document(KIND, {"version": 1}, [(world.credentials.keyid, GATEWAY_KEY)])
    with pytest.raises(DocumentInvalid, match="not an audit entry"):
        verify_entry(AuditRecord(document, salt_of(0)), world.directory())


@pytest.mark.parametrize("document", [b"", b"{}", b'{"payload":"!"}', b"\xff", b"[" * 50_000])
def test_a_document_without_a_payload_has_none_to_show(document: bytes) -> None:
    """The unverified view of a broken document is an error too."""
    with pytest.raises(DocumentInvalid):
        _ = AuditRecord(document, salt_of(0)).payload


@pytest.mark.parametrize(
    "changes",
    [{"gateway": TAX}, {"time": World().now + timedelta(days=40)}, {"purpose": "x" * 70_000}],
)
def test_a_gateway_notices_itself_what_the_log_would_refuse(world: World, changes: dict[str, Any]) -> None:
    """An entry that the log would not take is refused before it is written."""
    entry = world.entry(**changes)
    record = sign_entry(entry, world.credentials, salt_of(0))
    with pytest.raises(DocumentInvalid):
        require_acceptable(record, entry, world.directory())
