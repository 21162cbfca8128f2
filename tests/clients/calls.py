"""Calls of clients that come in two kinds: one that blocks and one for asyncio."""

import inspect

import pytest


async def done(result):
    """The result of a call of either kind: awaited where it has to be."""
    return await result if inspect.isawaitable(result) else result


async def refusal(kind, call, *arguments, **more):
    """The error of that kind which a call of either kind ends with."""
    with pytest.raises(kind) as raised:
        await done(call(*arguments, **more))
    return raised.value
