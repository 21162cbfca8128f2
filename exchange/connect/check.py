"""`exchange adapter check`: everything that can be known of an adapter before it runs. Nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from exchange.avro import Schema
from exchange.connect.assembly import read_schema, source_of
from exchange.connect.config import Publication, Service, Subscription
from exchange.connect.database import Database
from exchange.connect.file import AdapterFile
from exchange.connect.finding import Finding
from exchange.connect.mapping import Row, TableMapping
from exchange.connect.structure import Location, Structure
from exchange.errors import AdapterError, ValueInvalid
from exchange.ids import ServiceId
from exchange.trust import Directory

SAMPLE_ROWS = 100
"""How many rows of each published table are mapped and encoded."""


async def check_adapter(
    file: AdapterFile, *, root: Path, directory: Directory | None = None, pepper: bytes = b""
) -> list[Finding]:
    """What is wrong or doubtful: in the database, the schemas, the directory (where given) and the first rows.

    A database that cannot be opened is one finding; nothing is raised for what the file's writer can mend.
    """
    structure = Structure(file, root)
    findings = list(_in_directory(structure, file, directory)) if directory else []
    try:
        database = Database(file.database.url, read_only=True)
    except AdapterError as error:
        return [*findings, structure.finding("error", ("database", "url"), error.message)]
    try:
        findings += await database.run(lambda connection: list(structure.findings(connection)))
        if not any(each.severity == "error" for each in findings):
            for index, publication in enumerate(file.publishers):
                findings += await _sample(structure, ("publishers", index), publication, database, root, pepper)
    except AdapterError as error:
        findings.append(structure.finding("error", ("database", "url"), error.message))
    finally:
        await database.close()
    return findings


async def _sample(
    structure: Structure, at: Location, publication: Publication, database: Database, root: Path, pepper: bytes
) -> list[Finding]:
    """Map and encode the first rows; a row that does not fit would be a dead letter."""
    schema = read_schema(publication, root)
    mapping = TableMapping(publication, schema.fields, pepper)
    source = source_of(publication, mapping, database)
    try:
        chunk = await source.read(None, SAMPLE_ROWS)
        lost = await source.has_rows_without_cursor()
    except AdapterError as error:
        return [structure.finding("error", (*at, "cursor"), error.message)]
    message = f"{publication.table} has rows without a value in {publication.cursor}: they are not published"
    doubts = [structure.finding("warning", (*at, "cursor"), message)] if lost else []
    return doubts + _unfit_rows(structure, at, chunk.rows, mapping, schema.schema)


def _unfit_rows(
    structure: Structure, at: Location, rows: Sequence[Row], mapping: TableMapping, schema: Schema
) -> list[Finding]:
    reasons: Counter[str] = Counter()
    for row in rows:
        try:
            schema.encode(mapping(row).data)
        except ValueInvalid as error:
            reasons[error.message] += 1
    return [
        structure.finding("warning", (*at, "fields"), f"{count} of the first {len(rows)} rows do not fit: {why}")
        for why, count in reasons.items()
    ]


def _in_directory(structure: Structure, file: AdapterFile, directory: Directory) -> Iterator[Finding]:
    agency = directory.agency(file.agency_id)
    if agency is None or not agency.active:
        state = "not in the directory" if agency is None else "suspended"
        yield structure.finding("error", ("agency",), f"{file.agency} is {state}")
        return
    for index, publication in enumerate(file.publishers):
        yield from _publication(structure, ("publishers", index), publication, file, directory)
    for index, subscription in enumerate(file.subscriptions):
        yield from _subscription(structure, ("subscriptions", index), subscription, file, directory)
    for index, service in enumerate(file.services):
        yield from _service(structure, ("services", index), service, file, directory)


def _publication(
    structure: Structure, at: Location, publication: Publication, file: AdapterFile, directory: Directory
) -> Iterator[Finding]:
    topic = directory.topic(publication.topic)
    if topic is None:
        yield structure.finding("error", (*at, "topic"), f"topic {publication.topic} is not in the directory")
        return
    if f"{file.agency}/{publication.name}" not in topic.publishers:
        message = f"{file.agency}/{publication.name} is not among the publishers of {topic.name} in the directory"
        yield structure.finding("error", (*at, "name"), message)
    if topic.personal and publication.key.pseudonym is None:
        message = f"topic {topic.name} holds personal data: its key must be a pseudonym"
        yield structure.finding("error", (*at, "key"), message)
    if topic.compacted and not (publication.key.columns or publication.key.pseudonym):
        yield structure.finding("error", (*at, "key"), f"topic {topic.name} is compacted: its events need a key")


def _subscription(
    structure: Structure, at: Location, subscription: Subscription, file: AdapterFile, directory: Directory
) -> Iterator[Finding]:
    topic = directory.topic(subscription.topic)
    if topic is None:
        yield structure.finding("error", (*at, "topic"), f"topic {subscription.topic} is not in the directory")
    elif topic.personal and directory.agreement(file.agency_id, topic.name) is None:
        message = f"topic {topic.name} holds personal data, and no agreement lets {file.agency} use it"
        yield structure.finding("warning", (*at, "topic"), message)


def _service(
    structure: Structure, at: Location, service: Service, file: AdapterFile, directory: Directory
) -> Iterator[Finding]:
    entry = directory.service(ServiceId(file.agency_id, service.name))
    if entry is None:
        yield structure.finding("error", (*at, "name"), f"{file.agency}/{service.name} is not in the directory")
        return
    if entry.individual_scheme != service.individual.scheme:
        message = f"the directory says {entry.id} finds individuals by {entry.individual_scheme}"
        yield structure.finding("error", (*at, "individual"), message)
    for name in entry.fields:
        if name not in service.fields:
            yield structure.finding("error", (*at, "fields"), f"the directory promises field {name!r}, not mapped here")
    for name in service.fields:
        if name not in entry.fields:
            message = f"field {name!r} is not in the directory's entry of {entry.id}: nobody can ask for it"
            yield structure.finding("warning", (*at, "fields", name), message)
