"""Where something stands in an adapter file, for errors that show only when the database is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError


def place_of(path: Path, *location: str | int) -> str:
    """`file:line:column` of the deepest part of `location` that the file has; `file` alone when it cannot be read."""
    try:
        node: Any = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError):
        return str(path)
    line, column = 0, 0
    for part in location:
        if isinstance(node, CommentedMap) and part in node:
            line, column = node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            line, column = node.lc.item(part)
        else:
            break
        node = node[part]
    return f"{path}:{line + 1}:{column + 1}"
