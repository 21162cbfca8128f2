"""A registry over the store in memory, and schemas to register."""

import json

import pytest

from exchange.registry import RegistryService
from tests.fakes.schema_store import MemorySchemaStore

SUBJECT = "gov.customs.tariff.code-listed.v1-value"


def schema(*fields, name="uz.R", **more):
    """The text of a record schema; a field is a name (a string field), a (name, type) pair, or an object."""
    made = []
    for field in fields:
        if isinstance(field, str):
            field = (field, "string")
        made.append(field if isinstance(field, dict) else {"name": field[0], "type": field[1]})
    return json.dumps({"type": "record", "name": name, "fields": made, **more})


V1 = schema("code")
V2 = schema("code", {"name": "unit", "type": ["null", "string"], "default": None})
BAD = schema("code", ("region_code", "int"))


@pytest.fixture
def store():
    """The store in memory."""
    return MemorySchemaStore()


@pytest.fixture
async def service(store):
    """A registry that is ready."""
    service = RegistryService(store)
    await service.start()
    yield service
    await service.close()
