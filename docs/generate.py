"""Write the reference pages from the code: `python -m docs.generate`, or `--check` to fail where they differ."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import prometheus_client
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel

import exchange
from exchange import errors
from exchange.cli.app import exchange as command_line
from exchange.settings import KeySettings, Pkcs11Settings, Settings
from exchange.transport.web import status_of

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    """Each reference page, by file name."""
    return {"cli.md": cli(), "settings.md": settings(), "metrics.md": metrics(), "errors.md": error_codes()}


def cli() -> str:
    """Every command with its help."""
    settings = {**command_line.context_settings, "terminal_width": 100}
    context = click.Context(command_line, info_name="exchange", **settings)
    return "# Command line\n\n" + "\n".join(_commands(command_line, context))


def _commands(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## `{context.command_path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                inner = click.Context(child, info_name=name, parent=context, max_content_width=100, terminal_width=100)
                yield from _commands(child, inner)


def settings() -> str:
    """Every setting with its default and its variable."""
    lines = ["# Settings", "", "`exchange.yaml` in the instance's home; the variable overrides the file.", ""]
    lines += ["| setting | default | variable | meaning |", "|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, BaseModel):
            lines += [
                f"| `{name}.{key}` | {_default(each.default)} | `EXCHANGE_{name}_{key}` | {each.description} |".replace(
                    f"EXCHANGE_{name}_{key}", f"EXCHANGE_{name}_{key}".upper()
                )
                for key, each in type(field.default).model_fields.items()
            ]
        else:
            lines.append(f"| `{name}` | {_default(field.default)} | | {field.description} |")
    lines += [f"| `keys.AGENCY.{name}` | | | {text} |" for name, text in _key_settings()]
    lines += ["| | | `EXCHANGE_KEY_PASSPHRASE` | what key files are encrypted with |"]
    return "\n".join(lines) + "\n"


def _key_settings() -> Iterator[tuple[str, str | None]]:
    for name, field in KeySettings.model_fields.items():
        yield name, field.description
    for name, field in Pkcs11Settings.model_fields.items():
        yield f"pkcs11.{name}", field.description


def _default(value: object) -> str:
    return "" if value in (None, (), {}) else f"`{value}`"


def metrics() -> str:
    """Every metric with its labels."""
    lines = ["# Metrics", "", "Every process serves them at `/metrics`.", "", "| metric | kind | labels | meaning |"]
    lines.append("|---|---|---|---|")
    for metric in sorted(_metrics(), key=lambda each: each._name):
        labels = ", ".join(f"`{label}`" for label in metric._labelnames)
        suffix = "_total" if isinstance(metric, prometheus_client.Counter) else ""
        lines.append(f"| `{metric._name}{suffix}` | {metric._type} | {labels} | {metric._documentation} |")
    return "\n".join(lines) + "\n"


def _metrics() -> Iterator[MetricWrapperBase]:
    for module in pkgutil.walk_packages(exchange.__path__, "exchange."):
        if module.name.endswith(".metrics"):
            for _, value in inspect.getmembers(importlib.import_module(module.name)):
                if isinstance(value, MetricWrapperBase):
                    yield value


def error_codes() -> str:
    """Every error class: code, HTTP status, exit code."""
    lines = ["# Errors", "", "| code | error | HTTP | exit | retriable | meaning |", "|---|---|---|---|---|---|"]
    for _, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.ExchangeError):
            meaning = (inspect.getdoc(kind) or "").splitlines()[0]
            retriable = "yes" if kind.retriable else "no"
            status = status_of(kind(""))
            lines.append(f"| `{kind.code}` | {kind.__name__} | {status} | {kind.exit_code} | {retriable} | {meaning} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the pages; with `--check`, name those that differ and fail."""
    FOLDER.mkdir(exist_ok=True)
    differing = {name: text for name, text in pages().items() if _differs(FOLDER / name, text)}
    if "--check" in sys.argv:
        for name in differing:
            print(f"docs/reference/{name} differs from the code: run `make docs`", file=sys.stderr)  # noqa: T201
        return 1 if differing else 0
    for name, text in differing.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != text


if __name__ == "__main__":
    sys.exit(main())
