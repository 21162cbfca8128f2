"""The page as HTML: the model through one template, everything escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from exchange.console import chart, text
from exchange.console.model import Page, ProcessRow

_FILTERS = {
    "integer": text.integer,
    "rate": text.rate,
    "percent": text.percent,
    "size": text.size,
    "duration": text.duration,
    "clock": text.clock,
    "plain": text.plain,
    "breakable": text.breakable,
    "topic_parts": text.topic_parts,
}


def render_page(page: Page, *, live: bool, refresh_seconds: int, version: str | None = None) -> str:
    """The whole document; `live` says whether the browser was asked to load it again."""
    return _TEMPLATE.render(
        page=page,
        live=live,
        refresh_seconds=refresh_seconds,
        version=version,
        running=[each for each in page.processes if each.state != "ended"],
        troubled=[each for each in page.processes if _is_trouble(each)],
    )


def _is_trouble(process: ProcessRow) -> bool:
    return process.state in ("down", "not_ready")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("exchange.console", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(chart=chart)
    return environment


_TEMPLATE = _environment().get_template("page.html")
