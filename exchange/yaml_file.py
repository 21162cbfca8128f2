"""YAML files that people write: read into a pydantic model; every error names file, line and column.

`${NAME}` in a text is replaced from the given variables; `$${` writes a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from exchange.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)

_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_yaml(path: Path, model: type[Model], variables: Mapping[str, str]) -> Model:
    """The file as a `model`; raises SettingsError with `file:line:column`, what is wrong and what would be right."""
    tree = _parse(path)
    filled = _fill(tree, variables, path)
    try:
        return model.model_validate(filled)
    except ValidationError as error:
        # What is there and wrong comes before what is missing: a misspelt key is both.
        first = min(error.errors(), key=lambda each: each["type"] == "missing")
        line, column = _place(tree, first["loc"])
        raise SettingsError(f"{path}:{line}:{column}: {_say(first, model)}") from None


def _parse(path: Path) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        raise SettingsError(f"{path}:{where}: not YAML: {error.problem or error.context}") from None
    except YAMLError as error:
        raise SettingsError(f"{path}:1:1: not YAML: {error}") from None
    if not isinstance(tree, CommentedMap):
        raise SettingsError(f"{path}:1:1: expected keys and values at the top level")
    return tree


def _fill(node: Any, variables: Mapping[str, str], path: Path, place: tuple[int, int] = (0, 0)) -> Any:
    if isinstance(node, CommentedMap):
        return {key: _fill(value, variables, path, node.lc.value(key)) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_fill(value, variables, path, node.lc.item(index)) for index, value in enumerate(node)]
    return _substitute(node, variables, path, place) if isinstance(node, str) else node


def _substitute(text: str, variables: Mapping[str, str], path: Path, place: tuple[int, int]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "${"
        if name not in variables:
            raise SettingsError(f"{path}:{place[0] + 1}:{place[1] + 1}: ${{{name}}} is not set in the environment")
        return variables[name]

    return _VARIABLE.sub(value_of, text)


def _place(tree: Any, location: tuple[int | str, ...]) -> tuple[int, int]:
    """Line and column (from 1) of the deepest part of `location` that is in the file."""
    place, node = (0, 0), tree
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            place = node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            place = node.lc.item(part)
        else:
            continue  # pydantic names union members in its locations; they are not in the file
        node = node[part]
    return place[0] + 1, place[1] + 1


def _say(error: ErrorDetails, model: type[BaseModel]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = sorted(_known_keys(model))
        close = get_close_matches(str(error["loc"][-1]), known, 1)
        return f"unknown key {where!r}" + (f"; did you mean {close[0]!r}?" if close else "")
    if error["type"] == "missing":
        return f"missing key {where!r}"
    if error["type"] == "value_error":
        return f"{where}: {error['msg'].removeprefix('Value error, ')}"
    return f"{where} = {error['input']!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _known_keys(model: type[BaseModel]) -> set[str]:
    """Every key of the model and of the models inside it: what a misspelt key may have meant."""
    schema = model.model_json_schema(by_alias=True)
    places = [schema, *schema.get("$defs", {}).values()]
    return {name for place in places for name in place.get("properties", {})}
