"""`exchange schema generate`: Python classes from schema files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from exchange.avro import Style, generate_classes
from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.output import note
from exchange.cli.schema_files import read_schema
from exchange.cli.schema_readers import Surroundings, look_around
from exchange.errors import SchemaError, SettingsError
from exchange.ids import Topic


@click.command()
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--topic", help="Topic whose values FILE describes; found by the file's name unless told.")
@click.option("--out", type=click.Path(path_type=Path), help="A .py file, or a folder: a module for each FILE.")
@click.option(
    "--style",
    type=click.Choice(["dataclass", "msgspec"]),
    default="dataclass",
    show_default=True,
    help="Kind of class.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 where a module is not as it would be written.")
@click.pass_obj
def generate(
    instance: Instance, files: tuple[Path, ...], topic: str | None, out: Path | None, style: Style, check: bool
) -> None:
    """Write a Python module with a typed, immutable class for each record and enum of FILE.

    `to_dict()` of an object is what a publisher takes, `from_dict()` reads an event's data; `__topic__` and
    `__schema__` are what it is opened with. The same FILE gives the same module. Works offline. Without --out the
    module is printed.
    """
    if len(files) > 1 and (topic is not None or out is None or out.suffix == ".py"):
        raise SettingsError("of several files each gets a module and a topic of its own: give --out FOLDER, no --topic")
    around = look_around(instance)
    modules = {_place(out, file): _module(around, file, topic, style) for file in files}
    if len(modules) < len(files):
        raise SettingsError("two of the files would be one module: give their modules with --out, one after the other")
    if check:
        _compare(modules)
    for place, text in modules.items():
        _write(place, text)


def _module(around: Surroundings, file: Path, topic: str | None, style: Style) -> str:
    schema = read_schema(file)
    found = str(Topic.parse(topic)) if topic else around.topic_of(file, [])
    if found is None:
        raise SettingsError(f"{file}: no topic is found for it; name the topic with --topic")
    try:
        return generate_classes(schema, source=file.name, topic=found, style=style)
    except SchemaError as error:
        raise SchemaError(f"{file}: {error.message}", code=error.code) from None


def _place(out: Path | None, file: Path) -> Path | None:
    if out is None or out.suffix == ".py":
        return out
    name = re.sub(r"\W", "_", file.name.removesuffix(".avsc"), flags=re.ASCII)
    return out / f"{name if name.isidentifier() else f'x{name}'}.py"


def _compare(modules: dict[Path | None, str]) -> None:
    """Ends the command."""
    stale = [str(place) for place, text in modules.items() if place is None or _text(place) != text]
    for place in stale:
        note(f"{place}: not as `exchange schema generate` writes it")
    sys.exit(1 if stale else 0)


def _text(place: Path) -> str | None:
    return place.read_text(encoding="utf-8") if place.is_file() else None


def _write(place: Path | None, text: str) -> None:
    if place is None:
        click.echo(text, nl=False)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, text.encode())
    note(f"wrote {place}")
