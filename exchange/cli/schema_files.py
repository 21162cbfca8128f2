"""Schema files as `schemas/README.md` names them: which topic a file is of, and which versions came before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exchange.avro import Schema
from exchange.errors import SchemaInvalid, SettingsError

_NAME = re.compile(r"(?P<event>[a-z0-9-]+)\.v(?P<major>[1-9][0-9]*)(?:\.(?P<minor>[0-9]+))?\.avsc")


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a schema and what to call it: its file, or `SUBJECT@VERSION`."""

    label: str
    schema: Schema


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file's name says: the event, and the version's two numbers."""

    event: str
    major: int
    minor: int

    @classmethod
    def parse(cls, path: Path) -> FileName | None:
        """None where the file is not named so."""
        match = _NAME.fullmatch(path.name)
        return cls(match["event"], int(match["major"]), int(match["minor"] or 0)) if match else None

    @property
    def ending(self) -> str:
        """What the topic's name ends with."""
        return f".{self.event}.v{self.major}"


def read_schema(path: Path) -> Schema:
    """The schema of a file; raises SettingsError where it cannot be read, SchemaInvalid with the file's name."""
    try:
        return Schema.parse(read_text(path))
    except SchemaInvalid as error:
        raise SchemaInvalid(f"{path}: {error.message}") from None


def read_text(path: Path) -> str:
    """The text of a file; raises SettingsError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as UTF-8 text: {error}") from None


def earlier_files(path: Path, schema: Schema, folder: Path) -> list[Path]:
    """The files of the versions before `path`, oldest first.

    A file that is named as a version follows those beside it with the same event and first number and a lower second
    one. Another file, or one that lies elsewhere, is a draft: it follows every file in `folder` of the same record.
    """
    named = FileName.parse(path)
    if named and _is_inside(path, folder):
        return [each for each in _beside(path, named) if _number(each) < (named.major, named.minor)]
    drafts = sorted((each for each in _of_same_record(path, schema, folder)), key=_number)
    major = named.major if named else max((_number(each)[0] for each in drafts), default=0)
    return [each for each in drafts if _number(each)[0] == major]


def _beside(path: Path, named: FileName) -> list[Path]:
    found = [each for each in path.parent.glob("*.avsc") if (other := FileName.parse(each)) and _same(other, named)]
    return sorted(found, key=_number)


def _same(one: FileName, other: FileName) -> bool:
    return (one.event, one.major) == (other.event, other.major)


def _of_same_record(path: Path, schema: Schema, folder: Path) -> Iterator[Path]:
    for each in folder.rglob("*.avsc"):
        if FileName.parse(each) and each.resolve() != path.resolve():
            try:
                if full_name(read_schema(each)) == full_name(schema):
                    yield each
            except SchemaInvalid:
                continue


def full_name(schema: Schema) -> str:
    """The full name of a schema's record; empty for a type without one."""
    return str(schema.raw.get("name", "")) if isinstance(schema.raw, dict) else ""


def _number(path: Path) -> tuple[int, int]:
    named = FileName.parse(path)
    return (named.major, named.minor) if named else (0, 0)


def _is_inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
