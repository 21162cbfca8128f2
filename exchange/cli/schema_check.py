"""`exchange schema check`: what a schema file would change, before anybody sees it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from exchange.avro import LEVELS, check_compatibility, lint
from exchange.cli.instance import Instance
from exchange.cli.output import emit_report, note
from exchange.cli.schema_files import Version, earlier_files, read_schema
from exchange.cli.schema_readers import Surroundings, look_around
from exchange.cli.schema_registry import read_history, registry_client
from exchange.cli.schema_verdict import Comparison, Verdict
from exchange.errors import SettingsError
from exchange.ids import Topic
from exchange.settings import FILE_NAME

DEFAULT_LEVEL = "BACKWARD"
FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
TOPIC = click.option("--topic", help="Topic whose values it describes; found by the file's name unless told.")
AGAINST = click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The earlier version; found beside FILE, or by the record's name, unless told.",
)
REGISTRY = click.option("--registry", "ask", is_flag=True, help="Take earlier versions and level from the registry.")
LEVEL = click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    help=f"Compatibility level; the registry's with --registry, else {DEFAULT_LEVEL}.",
)


@click.command()
@FILE
@TOPIC
@AGAINST
@REGISTRY
@LEVEL
@click.pass_obj
def check(
    instance: Instance, file: Path, topic: str | None, against: Path | None, ask: bool, level: str | None
) -> None:
    """Check FILE: syntax, house rules, and what its changes break, for whom.

    Works offline, against the schema files, adapter files and directory of the instance. Exits with 4 where the
    registry would refuse it, or an adapter that reads a field would no longer find it.
    """
    around = look_around(instance)
    for each in around.notes:
        note(each)
    verdict = judge(instance, around, file, topic, against, ask, level)
    if verdict.topic is None:
        note(f"{file}: no topic is found for it, so nobody is known who reads it; name the topic with --topic")
    emit_report(verdict.data(), verdict.lines())
    if verdict.is_bad:
        sys.exit(4)
    warned = "see the warnings" if verdict.findings else "nothing stands in its way"
    note(f"{file}: it can be registered; {warned}")


def judge(
    instance: Instance,
    around: Surroundings,
    file: Path,
    topic: str | None,
    against: Path | None,
    ask: bool,
    level: str | None,
) -> Verdict:
    """What is to say of a file, among what is around it."""
    schema = read_schema(file)
    paths = [against] if against else earlier_files(file, schema, around.schemas)
    topic = str(Topic.parse(topic)) if topic else around.topic_of(file, paths)
    before, found_level = _history(instance, topic) if ask else (_versions(around, paths), DEFAULT_LEVEL)
    level = level or found_level
    return Verdict(
        file=around.shown(file),
        topic=topic,
        level=level,
        against=tuple(before),
        comparison=Comparison.of(before[-1].schema, schema) if before else None,
        reasons=tuple(check_compatibility(schema, [each.schema for each in before], level)),
        findings=tuple(lint(schema, around.is_personal(topic))),
        readers=tuple(around.readers(topic)) if topic else (),
        lint_refuses=lint_refuses(instance),
    )


def lint_refuses(instance: Instance) -> bool:
    """Whether the instance's registry refuses what the house would have otherwise."""
    if not (instance.home / FILE_NAME).exists():
        return False
    return getattr(instance.settings.registry, "lint", "warn") == "refuse"


def _versions(around: Surroundings, paths: list[Path]) -> list[Version]:
    return [Version(around.shown(each), read_schema(each)) for each in paths]


def _history(instance: Instance, topic: str | None) -> tuple[list[Version], str]:
    if topic is None:
        raise SettingsError("no topic is found for the file: name it with --topic")
    return asyncio.run(_ask(instance, Topic.parse(topic).value_subject))


async def _ask(instance: Instance, subject: str) -> tuple[list[Version], str]:
    async with registry_client(instance) as client:
        return await read_history(client, subject), await client.level(subject)
