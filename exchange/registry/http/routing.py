"""Which handlers a path belongs to: a tree of its segments, which are split before anything in them is decoded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Generic, TypeVar
from urllib.parse import unquote

from exchange.errors import ExchangeError

_T = TypeVar("_T")
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class Route(Generic[_T]):
    """A path's pattern, as `/subjects/{subject}`, and what answers each method there."""

    __slots__ = ("by_method", "names", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.names = tuple(each[1:-1] for each in pattern.split("/") if each[:1] == "{")
        self.by_method: dict[str, _T] = {}

    @property
    def allowed(self) -> str:
        """The methods there are, as the header Allow lists them; HEAD comes with GET."""
        return ",".join(sorted({*self.by_method, "OPTIONS", *(("HEAD",) if "GET" in self.by_method else ())}))


class Router(Generic[_T]):
    """Finds the route of a path. A segment that is spelt out goes before a parameter."""

    def __init__(self) -> None:
        self._root: _Node[_T] = _Node()

    def add(self, method: str, pattern: str, handler: _T) -> None:
        """Let `handler` answer `method` at `pattern`."""
        node = self._root
        for segment in segments_of(pattern):
            node = node.child("*" if segment[:1] == "{" else segment)
        node.route = node.route or Route(pattern)
        node.route.by_method[method] = handler

    def find(self, segments: list[str]) -> tuple[Route[_T], Mapping[str, str]] | None:
        """The route and its parameters, decoded; raises the error of a malformed request (`request_malformed`)."""
        node, values = self._root, []
        for segment in segments:
            following = node.children.get(segment)
            if following is None or segment == "*":
                following = node.children.get("*")
                values.append(segment)
            if following is None:
                return None
            node = following
        if node.route is None:
            return None
        return node.route, dict(zip(node.route.names, map(decoded, values), strict=True))


class _Node(Generic[_T]):
    __slots__ = ("children", "route")

    def __init__(self) -> None:
        self.children: dict[str, _Node[_T]] = {}
        self.route: Route[_T] | None = None

    def child(self, segment: str) -> _Node[_T]:
        return self.children.setdefault(segment, _Node())


def segments_of(path: str) -> list[str]:
    """The segments of a path; slashes at the ends and repeated ones do not count."""
    return [each for each in path.split("/") if each]


def decoded(segment: str) -> str:
    """A segment with its percent escapes read; raises the error of a malformed request."""
    if "%" not in segment:
        return segment
    if _BROKEN_ESCAPE.search(segment):
        raise malformed()
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise malformed() from None


def malformed(message: str = "HTTP 400 Bad Request") -> ExchangeError:
    """A request that cannot be read."""
    return ExchangeError(message, code="request_malformed")
