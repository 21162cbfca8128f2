"""The guides, the demo's page and README say what is there: commands, code, files, names and links."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from exchange.avro import Schema
from exchange.bus import Publisher, Subscriber
from exchange.cli.app import exchange as command_line
from exchange.connect import load_adapter
from exchange.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GUIDES = sorted(DOCS.glob("how-to/*.md"))
PAGES = [*GUIDES, DOCS / "README.md", DOCS / "tutorial" / "demo.md", ROOT / "README.md"]
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "exchange").rglob("*.py")))
METRICS = (DOCS / "reference" / "metrics.md").read_text("utf-8")
SETTINGS = (DOCS / "reference" / "settings.md").read_text("utf-8")

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_FUNCTION = re.compile(r"^(\w+)\(\) \{\n(.*?)^\}$", re.M | re.S)
_COMMAND = re.compile(r"(?:^|[|=]) ?(exchange (?!= ).*)$")


def name_of(page: Path) -> str:
    """A page as the test report shows it."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """The page's fenced blocks of one language."""
    return [body for kind, body in _FENCE.findall(page.read_text("utf-8")) if kind == language]


def programs(page: Path) -> list[str]:
    """The page's Python; three dots at the end of a dict stand for what is left out."""
    return [block.replace(", ...}", "}") for block in blocks(page, "python")]


def shells(page: Path) -> Iterator[str]:
    """What a reader would type or put into a unit: indented blocks, and fenced ones of a shell or a unit."""
    text = page.read_text("utf-8")
    plain = _FENCE.sub("", text)
    runs = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", plain, re.M)
    yield from (re.sub(r"^ {4}", "", run, flags=re.M) for run in runs)
    yield from blocks(page, "sh") + blocks(page, "ini")


def typed(page: Path) -> Iterator[str]:
    """Each `exchange …` command line of a page's blocks; calls of the page's own shell functions are filled in."""
    script = re.sub(r"\\\n\s*", "", "\n".join(shells(page)))
    functions = {name: body for name, body in _FUNCTION.findall(script) if "exchange " in body}
    for line in _FUNCTION.sub("", script).splitlines():
        name, _, arguments = line.partition("  #")[0].strip().partition(" ")
        if name in functions:
            for inner in functions[name].splitlines():
                yield from commands_in(inner.replace('"$@"', arguments).replace('"$1"', arguments or "FILE"))
        else:
            yield from commands_in(line)


def commands_in(line: str) -> Iterator[str]:
    """The `exchange …` command of a line, up to its comment."""
    found = _COMMAND.search(line.partition("  #")[0].strip())
    if found:
        yield found[1]


def in_prose(page: Path) -> list[str]:
    """Each `exchange …` command that the page's sentences name; words in capitals are placeholders."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return re.findall(r"`(exchange [a-z][^`\n]*)`", re.sub(r"^ {4}.*$", "", text, flags=re.M))


def parse(command: click.Command, arguments: list[str], *, whole: bool, parent: click.Context | None = None) -> None:
    """Raises UsageError where a command, an option, or (with `whole`) a required part is not there."""
    context = click.Context(command, info_name=command.name, parent=parent, **command.context_settings)
    values, rest, _ = command.make_parser(context).parse_args(arguments)
    if isinstance(command, click.Group):
        if rest:
            inner = command.get_command(context, rest[0])
            if inner is None:
                raise click.UsageError(f"no command {rest[0]}")
            parse(inner, rest[1:], whole=whole, parent=context)
        return
    if rest:
        raise click.UsageError(f"too many arguments: {rest}")
    for parameter in command.params:
        verify_value(parameter, values.get(parameter.name), context, needed=whole and parameter.required)


def verify_value(parameter: click.Parameter, given: object, context: click.Context, *, needed: bool) -> None:
    """Raises UsageError where a value is missing, or is none of the choices there are."""
    texts = [each for each in (given if isinstance(given, tuple | list) else [given]) if isinstance(each, str)]
    if needed and not texts:
        raise click.UsageError(f"{parameter.name} is missing")
    if isinstance(parameter.type, click.Choice):
        for text in texts:
            parameter.type.convert(text, parameter, context)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_are_those_of_the_command_line(page):
    """Every command a page has its reader type has these options, and all that it needs."""
    for line in typed(page):
        parse(command_line, shlex.split(line)[1:], whole=True)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_sentences_exist(page):
    """Every command that a sentence names is there, with the options named."""
    for line in in_prose(page):
        parse(command_line, shlex.split(line.replace("…", ""))[1:], whole=False)


def test_commands_are_found_where_readers_find_them():
    """A typed command, one behind a pipe, a continued one, a unit's, and a function's with its arguments are seen."""
    seen = set(typed(DOCS / "how-to" / "look-records-up.md")) | set(typed(DOCS / "how-to" / "operate.md"))
    assert "exchange gateway" in seen
    assert "exchange up" in seen
    assert any(line.startswith("exchange consent withdraw --individual -") for line in seen)
    assert any(line.endswith("--receipt denied.json") for line in seen)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_is_python_and_imports_what_is_there(page):
    """Every Python block compiles, and every name it imports is there."""
    for block in programs(page):
        compile(block, name_of(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module or "")
                assert [each.name for each in node.names if not hasattr(module, each.name)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_publishers_and_subscribers_are_called_as_they_are_made(page):
    """Every `Publisher(…)` and `Subscriber(…)` of a page fits the signature."""
    for block in programs(page):
        for node in ast.walk(ast.parse(block)):
            kinds = {"Publisher": Publisher, "Subscriber": Subscriber}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                keywords = {each.arg: None for each in node.keywords if each.arg}
                inspect.signature(kinds[node.func.id]).bind(*node.args, **keywords)


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_adapter_files_and_schemas_are_taken(page, tmp_path):
    """Every adapter file in a guide is one, and every schema is Avro."""
    for block in blocks(page, "yaml"):
        if "database:" in block:
            file = tmp_path / "adapter.yaml"
            file.write_text(block, "utf-8")
            load_adapter(file, {"DATA": str(tmp_path)})
    for block in blocks(page, "json"):
        Schema.parse(block)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Every link leads to a file of the project, and to a heading of it where it names one."""
    for target in re.findall(r"\]\(([^)]+)\)", _FENCE.sub("", page.read_text("utf-8"))):
        path, _, heading = target.partition("#")
        assert (page.parent / path).exists(), target
        if heading:
            assert heading in headings(page.parent / path), target


def headings(page: Path) -> set[str]:
    """A page's headings, as links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in found}


@pytest.mark.parametrize("page", GUIDES, ids=name_of)
def test_names_are_those_of_the_code(page):
    """Every metric, setting, variable, and every code or key with an underscore that a guide names is there."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    words = set(re.findall(r"`([^`\n]+)`", text))
    variables = set(re.findall(r"\bEXCHANGE_(?!HOME|POSITION)[A-Z_]+", page.read_text("utf-8")))
    sections = "|".join(name for name, field in Settings.model_fields.items() if field.default is not None)
    settings = {word for word in words if re.fullmatch(rf"(?:{sections})\.[a-z_]+", word)} - {"exchange.yaml"}
    metrics = {word for word in words if re.fullmatch(r"exchange_[a-z_]+", word)}
    codes = {word for word in words if re.fullmatch(r"[a-z]+(?:_[a-z]+)+", word)} - metrics
    assert {word for word in metrics if f"`{word}`" not in METRICS} == set()
    assert {word for word in settings | variables if f"`{word}`" not in SETTINGS} == set()
    assert {word for word in codes if not re.search(rf"\b{word}\b", SOURCE)} == set()


@pytest.mark.parametrize("page", [*GUIDES, DOCS / "README.md"], ids=name_of)
def test_no_page_knows_one_machine(page):
    """No guide names a folder of one machine, nor an address beyond it."""
    text = page.read_text("utf-8")
    assert re.findall(r"(?<![\w$.}])/(?:home|root|tmp|work|Users|opt)\b", text) == []
    assert re.findall(r"https?://(?!HOST)\S+", text) == []


def test_every_guide_is_in_the_map():
    """The map of the documents and the list of guides have each guide."""
    for listing, folder in ((DOCS / "README.md", "how-to/"), (DOCS / "how-to" / "README.md", "")):
        text = listing.read_text("utf-8")
        assert [each.name for each in GUIDES if each.name != "README.md" and f"({folder}{each.name})" not in text] == []
