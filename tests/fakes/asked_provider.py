"""A Provider that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from exchange.gateway import ProviderAnswer, Question


class AskedProvider:
    """Answers `data`, limited to the fields that were granted, after `before` and unless `failure` is set."""

    def __init__(self, **data: Any) -> None:
        self.questions: list[Question] = []
        self.failure: Exception | None = None
        self.before: Callable[[], Awaitable[None]] | None = None
        self._data = data

    async def ask(self, question: Question) -> ProviderAnswer:
        """The granted part of the data."""
        self.questions.append(question)
        if self.before is not None:
            await self.before()
        if self.failure is not None:
            raise self.failure
        return ProviderAnswer({name: self._data[name] for name in sorted(question.fields)}, "e" * 64)
