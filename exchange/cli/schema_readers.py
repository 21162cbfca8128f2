"""Who reads a topic's fields: agreements of the directory, and subscriptions of the adapter files that are here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.cli.instance import Instance
from exchange.cli.schema_files import FileName
from exchange.connect import AdapterFile, load_adapter
from exchange.errors import ExchangeError
from exchange.settings import FILE_NAME
from exchange.trust import Directory


@dataclass(frozen=True, slots=True)
class Reader:
    """One use of a topic's fields: whose, where it is written, and the fields with what becomes of each."""

    agency: str
    where: str
    fields: Mapping[str, str]
    is_adapter: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a schema file is looked at among; `notes` says what could not be looked at."""

    root: Path
    directory: Directory | None
    adapters: tuple[AdapterFile, ...]
    notes: tuple[str, ...]

    @property
    def schemas(self) -> Path:
        """The folder of the instance's schema files."""
        return self.root / "schemas"

    def shown(self, path: Path) -> str:
        """A path as people write it: from the instance's folder on, where it lies inside."""
        root, whole = self.root.resolve(), path.resolve()
        return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(path)

    def topic_of(self, file: Path, earlier: list[Path]) -> str | None:
        """The topic of a schema file: that of the adapter that publishes it, else the one that is named like it."""
        known = {each.resolve() for each in (file, *earlier)}
        for adapter in self.adapters:
            for publisher in adapter.publishers:
                if (self.root / publisher.schema_).resolve() in known:
                    return publisher.topic
        return self._topic_named((*reversed(earlier), file))

    def _topic_named(self, files: tuple[Path, ...]) -> str | None:
        names = [each.name for each in self.directory.topics()] if self.directory else []
        for file in files:
            named = FileName.parse(file)
            found = [name for name in names if named and name.endswith(named.ending)]
            own = [name for name in found if name.split(".")[1] == file.resolve().parent.name]
            if len(own or found) == 1:
                return (own or found)[0]
        return None

    def is_personal(self, topic: str | None) -> bool | None:
        """Whether the directory says that a topic holds personal data; None where it does not know the topic."""
        entry = self.directory.topic(topic) if self.directory and topic else None
        return entry.personal if entry else None

    def readers(self, topic: str) -> list[Reader]:
        """Everybody who is known to read a topic."""
        return [*self._agreements(topic), *self._subscriptions(topic)]

    def _agreements(self, topic: str) -> Iterator[Reader]:
        for agreement in self.directory.agreements if self.directory else ():
            if agreement.target == topic:
                for grant in agreement.purposes.values():
                    where = f"agreement for {grant.purpose}"
                    yield Reader(str(agreement.consumer), where, dict.fromkeys(sorted(grant.fields), ""), False)

    def _subscriptions(self, topic: str) -> Iterator[Reader]:
        for adapter in self.adapters:
            for each in adapter.subscriptions:
                if each.topic == topic:
                    fields = {field: f"column {column} of {each.table}" for column, field in each.columns.items()}
                    yield Reader(adapter.agency, f"{self.shown(adapter.path)}, {each.name}", fields, True)


def look_around(instance: Instance) -> Surroundings:
    """The instance's folder, directory and adapter files; without an instance, what the present folder has."""
    if not (instance.home / FILE_NAME).exists():
        adapters, notes = _adapters(Path(), ())
        missing = f"{instance.home}: no instance: agreements are not looked at, and which topics hold personal data"
        return Surroundings(Path(), None, adapters, (missing, *notes))
    settings = instance.settings
    adapters, notes = _adapters(settings.root, settings.adapters)
    return Surroundings(settings.root, instance.past_directory(), adapters, notes)


def _adapters(root: Path, more: tuple[Path, ...]) -> tuple[tuple[AdapterFile, ...], tuple[str, ...]]:
    """Those of the folder `adapters` and of the settings; one that cannot be read is noted."""
    paths = {each.resolve(): each for each in (*sorted((root / "adapters").rglob("*.yaml")), *more)}
    found: list[AdapterFile] = []
    notes: list[str] = []
    for path in paths.values():
        try:
            found.append(load_adapter(path, _Anything()))
        except ExchangeError as error:
            notes.append(f"not looked at: {error.message}")
    return tuple(found), tuple(notes)


class _Anything(dict[str, str]):
    """Stands for every `${NAME}`: nothing is opened, and a number is right in a port, a path and a name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "1"
