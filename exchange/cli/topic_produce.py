"""`exchange topic produce`: lines of JSON become sealed events."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from exchange.avro import Schema
from exchange.bus import Publisher
from exchange.cli.instance import Instance
from exchange.cli.output import emit_report, note
from exchange.cli.parameters import AGENCY
from exchange.cli.topic_lines import BadLine, KeyRule, Lines
from exchange.cli.topic_publication import Publication, Published
from exchange.errors import PublisherNotAllowed, SettingsError, ValueInvalid
from exchange.ids import AgencyId, PublisherId, Topic
from exchange.registry import RegistryClient, SchemaCache
from exchange.transport.http import HttpClient

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What a person asked for."""

    topic: str
    publisher: PublisherId
    text: str
    rule: KeyRule
    rows: bool
    skip_bad: bool
    again: bool


@click.command()
@click.argument("name")
@click.argument("file", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--agency", type=AGENCY, required=True, help="Who publishes: the topic's owner.")
@click.option("--publisher", required=True, help="The publisher's name, in the directory for this topic; yours alone.")
@click.option("--key-field", help="The field that is the key.")
@click.option("--key-scheme", help="The key is the pseudonym of that field, an identifier of this scheme (uz-pinfl).")
@click.option("--rows", is_flag=True, help='Lines are {"key": ..., "data": ...}; null data is a tombstone.')
@click.option("--skip-bad", is_flag=True, help="Publish the good lines of a FILE that has bad ones.")
@click.option("--again", is_flag=True, help="Publish a FILE that was published before.")
@click.pass_obj
def produce(
    instance: Instance,
    name: str,
    file: Any,
    agency: AgencyId,
    publisher: str,
    key_field: str | None,
    key_scheme: str | None,
    rows: bool,
    skip_bad: bool,
    again: bool,
) -> None:
    """Publish each line of FILE (- is stdin), a JSON object, as a sealed event of topic NAME.

    Values are typed by the topic's newest schema: days, times and decimals are text as `topic tail -o json` prints
    them, bytes are base64. FILE is read and checked first: where a line is wrong each such line is told, nothing is
    published, and the exit code is 4, unless --skip-bad. Killed in between and started again with the same FILE, it
    goes on where it was.
    """
    rule = _key_rule(instance, name, key_field, key_scheme, rows)
    order = Order(name, PublisherId.parse(f"{agency}/{publisher}"), file.read(), rule, rows, skip_bad, again)
    published, bad = asyncio.run(_produce(instance, order))
    parts = [asdict(each) for each in published.parts]
    data = {
        "topic": name,
        "publisher": str(order.publisher),
        "epoch": published.epoch,
        "published": published.events,
        "before": published.before,
        "skipped": [{"line": each.number, "reason": each.reason} for each in bad],
        "partitions": parts,
    }
    emit_report(data, [_sentence(published, bad, name)], parts)


def _key_rule(instance: Instance, name: str, field: str | None, scheme: str | None, rows: bool) -> KeyRule:
    """Raises SettingsError where the options do not go together, or would put an identifier where a pseudonym goes."""
    entry = instance.directory().topic(name)
    if entry is None:
        raise PublisherNotAllowed(f"topic {name} is not in the directory: its owner has it added first")
    if rows and (field or scheme):
        raise SettingsError("--rows have their keys: leave --key-field and --key-scheme out")
    if scheme and not field:
        raise SettingsError("--key-scheme says what kind of identifier --key-field is: give both")
    if entry.personal and not scheme and not rows:
        raise SettingsError(f"topic {name} is about people: its keys are pseudonyms; give --key-field and --key-scheme")
    return KeyRule(field, scheme, instance.pepper if scheme else None, entry.personal)


async def _produce(instance: Instance, order: Order) -> tuple[Published, Sequence[BadLine]]:
    async with HttpClient() as http:
        client = RegistryClient(http, instance.directory().registry_url, instance.clock)
        newest = await client.version(Topic.parse(order.topic).value_subject, resolved=True)
        schema = Schema.parse(newest.schema)
        lines, bad = Lines(schema, order.rule, rows=order.rows).read(order.text.split("\n"))
        _require_good(order, bad)
        kafka, signer = instance.settings.kafka.bootstrap, instance.credentials(order.publisher.agency).signer
        digest = hashlib.sha256(f"{order.topic}\n{order.text}".encode()).hexdigest()
        async with Publisher(
            order.publisher, kafka, signer, instance.directory, SchemaCache(client), instance.clock
        ) as publisher:
            await publisher.open(order.topic, newest.schema)
            publication = Publication(publisher, order.publisher, order.topic, kafka, digest)
            lines, large = publication.fitting(lines)
            _require_good(order, large)
            return await publication.publish(lines, again=order.again), [*bad, *large]


def _require_good(order: Order, bad: Sequence[BadLine]) -> None:
    """Tell each bad line; raises ValueInvalid where that ends it."""
    for each in bad[:_SHOWN]:
        note(f"line {each.number}: {each.reason}")
    if len(bad) > _SHOWN:
        note(f"and {len(bad) - _SHOWN} more")
    if bad and not order.skip_bad:
        raise ValueInvalid(f"{len(bad)} lines are no events of {order.topic}: nothing was published (--skip-bad)")


def _sentence(published: Published, bad: Sequence[BadLine], name: str) -> str:
    parts = list(_parts(published, bad))
    return f"{published.events:,} events are on {name}" + (f"; {', '.join(parts)}" if parts else "")


def _parts(published: Published, bad: Sequence[BadLine]) -> Iterator[str]:
    if published.before:
        yield f"{published.before:,} lines were published before (--again publishes them once more)"
    if bad:
        yield f"{len(bad):,} lines were skipped"
