"""Registries over logs in memory, requests as clients send them, and topics as compaction leaves them."""

import json

from exchange.registry import RegistryService
from exchange.registry.entities import ConfigUpdate, Metadata, Reference, SchemaRequest
from exchange.registry.records import LeaderRecord, encode_leader
from tests.fakes.schema_store import MemoryLog, MemorySchemaStore

OTHER = json.dumps({"type": "record", "name": "uz.Other", "fields": [{"name": "x", "type": "long"}]})
USES_OTHER = json.dumps({"type": "record", "name": "uz.User", "fields": [{"name": "other", "type": "uz.Other"}]})


def sent(text, **more):
    """What a client sends to register a schema, or to look it up."""
    return SchemaRequest(schema=text, **more)


def to_other(version=1, subject="other-value"):
    """The reference by which USES_OTHER finds OTHER."""
    return (Reference("uz.Other", subject, version),)


def with_properties(**properties):
    """Metadata of these properties; a double underscore stands for a colon."""
    return Metadata(properties={name.replace("__", ":"): value for name, value in properties.items()})


def level(name):
    """What sets a compatibility level."""
    return ConfigUpdate(compatibility=name)


async def started(log=None, **more):
    """A registry over a log."""
    service = RegistryService(MemorySchemaStore(log), **more)
    await service.start()
    return service


async def registered(service, subject, *texts, **more):
    """Register schemas, one after the other; their versions."""
    return [await service.register(subject, sent(text, **more)) for text in texts]


async def restarted(service, log):
    """The registry again, from its records."""
    await service.close()
    return await started(MemoryLog(log.records))


def compacted(log):
    """The log after compaction: the last record of each key, in the order of writing; what was taken away is gone."""
    last = {key: offset for offset, (key, _) in enumerate(log.records)}
    return MemoryLog(
        record for offset, record in enumerate(log.records) if last[record[0]] == offset and record[1] is not None
    )


def written(log):
    """The records of a log that are not a leader's announcement."""
    announcement = encode_leader(LeaderRecord())[0]
    return [record for record in log.records if record[0] != announcement]


def record(subject, version, schema_id, text, **more):
    """A record of `_schemas` as Confluent writes it."""
    key = {"keytype": "SCHEMA", "subject": subject, "version": version, "magic": 1}
    value = {"subject": subject, "version": version, "id": schema_id, "schema": text, "deleted": False, **more}
    return json.dumps(key).encode(), json.dumps(value).encode()


def setting(kind, subject, value=None):
    """A CONFIG, MODE or DELETE_SUBJECT record; without a value what takes it away."""
    key = json.dumps({"keytype": kind, "subject": subject, "magic": 0}).encode()
    return key, None if value is None else json.dumps(value).encode()
