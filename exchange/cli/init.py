"""`exchange init`: from a members file to an instance on this machine: keys, signed directory, settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from exchange.cli.files import write_whole
from exchange.cli.instance import Instance
from exchange.cli.members_file import MembersFile, directory_content, make_key, read_members
from exchange.cli.output import emit
from exchange.errors import SettingsError
from exchange.settings import FILE_NAME, Settings
from exchange.transport.web import free_port
from exchange.trust import Operators, sign_directory

_PORT = re.compile(r"\$\{([A-Z][A-Z0-9_]*)_(?:URL|PORT)\}")


@click.command()
@click.argument("members", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--adapter", "adapters", multiple=True, type=click.Path(path_type=Path), help="Adapter file `up` runs.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of the legacy databases: ${DATA}.")
@click.option("--kafka-libs", type=click.Path(path_type=Path), help="Folder of Kafka's jars.")
@click.option("--free-ports", is_flag=True, help="Choose free ports rather than the default ones.")
@click.pass_obj
def init(
    instance: Instance,
    members: Path,
    adapters: tuple[Path, ...],
    data: Path | None,
    kafka_libs: Path | None,
    free_ports: bool,
) -> None:
    """Create an instance in the home folder from a MEMBERS file.

    Writes keys of operators, agencies and audit log, the pepper, operators.json, a directory signed by the
    operators, and exchange.yaml. Refuses a home that already holds an instance.
    """
    if (instance.home / FILE_NAME).exists():
        raise SettingsError(f"{instance.home}: already holds an instance; choose another --home, or remove it")
    settings = _settings(instance.home, members, adapters, data, kafka_libs, free_ports)
    file = read_members(members, settings["variables"])
    _create(instance, file, settings)
    directory = instance.directory()
    emit(
        {
            "home": str(instance.home),
            "instance": directory.instance,
            "agencies": len(directory.agencies),
            "topics": sum(1 for _ in directory.topics()),
            "agreements": len(directory.agreements),
            "expires": directory.expires.isoformat(),
        }
    )


def _create(instance: Instance, file: MembersFile, settings: dict[str, Any]) -> None:
    """Everything an instance needs; the settings last, so that a home without them can be made again."""
    secrets = instance.home / "secrets"
    secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
    operators = {name: make_key(secrets / "operators" / f"{name}.pem") for name in file.operators}
    agencies = {agency: make_key(instance.key_path(agency)).public for agency in file.agencies()}
    log_key = make_key(secrets / "audit-log.pem").public
    _write_pepper(secrets / "pepper")
    threshold = file.threshold
    public = {name: key.public for name, key in operators.items()}
    Operators(threshold, public).save(instance.home / "operators.json")
    content = directory_content(file, agencies, log_key, instance.clock.now())
    signers = dict(list(operators.items())[:threshold])
    (instance.home / "directory.json").write_bytes(sign_directory(content, signers))
    text = BytesIO()
    YAML().dump({**settings, "instance": file.instance}, text)
    write_whole(instance.home / FILE_NAME, text.getvalue())


def _settings(
    home: Path,
    members: Path,
    adapters: tuple[Path, ...],
    data: Path | None,
    kafka_libs: Path | None,
    free_ports: bool,
) -> dict[str, Any]:
    defaults = Settings().model_dump(mode="json")
    listens = _listens(defaults, free_ports)
    content: dict[str, Any] = {name: {"listen": listen} for name, listen in listens.items() if name != "kafka"}
    content["kafka"] = {
        "bootstrap": listens["kafka"],
        "libs": str((kafka_libs or Path(defaults["kafka"]["libs"])).absolute()),
    }
    content["root"] = str(Path.cwd())
    content["adapters"] = [str(path.absolute()) for path in adapters]
    variables = {f"{name.upper()}_URL": f"http://{listen}" for name, listen in listens.items() if name != "kafka"}
    variables |= dict(_service_ports([members, *adapters], set(variables)))
    content["variables"] = {**variables, "DATA": str((data or home / "data").absolute())}
    return content


def _listens(defaults: dict[str, Any], free_ports: bool) -> dict[str, str]:
    usual = {"kafka": defaults["kafka"]["bootstrap"]}
    usual |= {name: defaults[name]["listen"] for name in ("registry", "gateway", "audit", "console")}
    return {name: f"127.0.0.1:{free_port()}" for name in usual} if free_ports else usual


def _service_ports(files: list[Path], known: set[str]) -> Iterator[tuple[str, str]]:
    """A free port for each `${NAME_PORT}` / `${NAME_URL}` of the files that is not one of ours."""
    names = {match[1] for file in files for match in _PORT.finditer(file.read_text(encoding="utf-8"))}
    for name in sorted(name for name in names if f"{name}_URL" not in known):
        port = free_port()
        yield f"{name}_PORT", str(port)
        yield f"{name}_URL", f"http://127.0.0.1:{port}"


def _write_pepper(path: Path) -> None:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(32).hex() + "\n")
