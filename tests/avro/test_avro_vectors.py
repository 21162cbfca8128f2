"""The vectors of spec 2: what other implementations are held to."""

import base64
import hashlib
import json

import pytest
import rfc8785

from exchange.avro import Schema, frame, unframe
from tests.avro.make_vectors import PATH, vectors, with_duty

VECTORS = json.loads(PATH.read_text())


def test_the_file_is_what_the_generator_writes():
    """Nobody edits vectors by hand."""
    assert vectors() == VECTORS


@pytest.mark.parametrize("vector", VECTORS["schemas"], ids=lambda vector: vector["name"])
def test_the_canonical_form_and_name_are_as_published(vector):
    """A schema's name never changes."""
    schema = Schema.parse(vector["text"])
    assert schema.canonical.decode() == vector["canonical"]
    assert schema.uri == vector["uri"]


@pytest.mark.parametrize("vector", VECTORS["schemas"], ids=lambda vector: vector["name"])
def test_the_name_is_rfc_6920_of_rfc_8785(vector):
    """The published name can be computed from the published form with nothing of ours."""
    canonical = vector["canonical"].encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).decode().rstrip("=")
    assert vector["uri"] == f"ni:///sha-256;{digest}"
    if "9223372036854776000" not in vector["canonical"]:
        assert rfc8785.dumps(json.loads(canonical)) == canonical


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: str(vector["id"]))
def test_values_are_framed_as_published(vector):
    """The bytes of a value are the same everywhere."""
    schema, value = Schema.parse(vector["schema"]), with_duty(vector["value"], vector["duty"])
    framed = bytes.fromhex(vector["framed"])
    assert frame(vector["id"], schema.encode(value)) == framed
    found, payload = unframe(framed)
    assert (found, schema.decode(payload)) == (vector["id"], value)
