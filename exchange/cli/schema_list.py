"""`exchange schema list` and `show`: what the registry holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import click

from exchange.avro import Schema, type_in_words, value_in_words
from exchange.cli.instance import Instance
from exchange.cli.output import emit, emit_report
from exchange.cli.schema_registry import gather_limited, registry_client, subject_of
from exchange.registry import Registration, RegistryClient
from exchange.trust import Directory


@click.command(name="list")
@click.option("--prefix", default="", help="Only subjects that begin with this, e.g. gov.interior.")
@click.pass_obj
def list_subjects(instance: Instance, prefix: str) -> None:
    """List the registry's subjects with their versions, level and owner."""
    emit(asyncio.run(_list(instance, prefix)))


async def _list(instance: Instance, prefix: str) -> list[dict[str, Any]]:
    directory = instance.directory()
    async with registry_client(instance) as client:
        subjects = [each for each in await client.subjects() if each.startswith(prefix)]
        return await gather_limited(_row(client, directory, each) for each in subjects)


async def _row(client: RegistryClient, directory: Directory, subject: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "versions": await client.versions(subject),
        "latest_id": (await client.version(subject)).id,
        "level": await client.level(subject),
        "owner": owner_of(directory, subject),
    }


def owner_of(directory: Directory, subject: str) -> str | None:
    """The agency that owns a subject's topic; None where the directory has no such topic."""
    entry = directory.topic(subject.removesuffix("-value").removesuffix("-key"))
    return str(entry.owner) if entry else None


@click.command()
@click.argument("name", metavar="TOPIC|SUBJECT")
@click.option("--version", "number", type=click.IntRange(1), help="Which version; the latest unless told.")
@click.option("--raw", is_flag=True, help="The schema's text as it was registered, and nothing else.")
@click.pass_obj
def show(instance: Instance, name: str, number: int | None, raw: bool) -> None:
    """Show a version of a topic's schema: its fields, in words."""
    found, level = asyncio.run(_show(instance, subject_of(name), number, resolved=not raw))
    if raw:
        click.echo(found.schema)
        return
    schema = Schema.parse(found.schema)
    head = _head(found, schema, level, owner_of(instance.directory(), found.subject))
    rows = list(fields_in_words(schema.raw))
    lines = [f"{name:<8}  {value}" for name, value in head.items()]
    emit_report({**head, "fields": rows}, [*lines, ""] if rows else lines, rows)


async def _show(instance: Instance, subject: str, number: int | None, resolved: bool) -> tuple[Registration, str]:
    async with registry_client(instance) as client:
        return await client.version(subject, number, resolved=resolved), await client.level(subject)


def _head(found: Registration, schema: Schema, level: str, owner: str | None) -> dict[str, Any]:
    raw = schema.raw if isinstance(schema.raw, dict) else {}
    return {
        "subject": found.subject,
        "version": found.version,
        "id": found.id,
        "level": level,
        "owner": owner or "-",
        "uri": schema.uri,
        "name": raw.get("name", type_in_words(schema.raw)),
        "doc": raw.get("doc", "-"),
    }


def fields_in_words(raw: Any, before: str = "") -> Iterator[dict[str, str | None]]:
    """A row for each field; those of a record inside follow it, named `outer.inner`."""
    if not isinstance(raw, dict) or raw["type"] not in ("record", "error"):
        return
    for field in raw["fields"]:
        name = f"{before}{field['name']}"
        yield {
            "field": name,
            "type": type_in_words(field["type"]),
            "default": value_in_words(field["default"]) if "default" in field else "-",
            "classification": str(field.get("x-classification", "-")),
            "doc": str(field.get("doc", "-")),
        }
        for inner in _inside(field["type"]):
            yield from fields_in_words(inner, f"{name}.")


def _inside(raw: Any) -> Iterator[Any]:
    """The records that a type holds, through unions, lists and tables."""
    if isinstance(raw, list):
        for each in raw:
            yield from _inside(each)
    elif isinstance(raw, dict):
        part = {"array": "items", "map": "values"}.get(raw["type"])
        yield from _inside(raw[part]) if part else (raw,)
