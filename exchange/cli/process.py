"""Running one long-lived process: its log, its event loop, and an orderly end on SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import uvloop

from exchange import __version__
from exchange.cli.metrics import BUILD_INFO
from exchange.transport.kafka import is_left_behind

Body = Callable[[asyncio.Event], Awaitable[None]]
"""A process's main: it returns soon after the event is set."""


def run_process(name: str, body: Body) -> None:
    """Run `body` until it returns; SIGTERM and SIGINT set its event. Errors leave as they are."""
    configure_logs(name)
    # Batches of events are many small objects that live shortly and form no cycles: look for garbage less often.
    gc.set_threshold(100_000, 50, 100)
    BUILD_INFO.labels(__version__).set(1)
    uvloop.run(_with_signals(body))


async def until_stopped(stop: asyncio.Event, *ends: Awaitable[None]) -> None:
    """Wait until `stop` is set; raises what any of `ends` raises before that."""
    waits = [asyncio.ensure_future(stop.wait()), *(asyncio.ensure_future(end) for end in ends)]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def configure_logs(name: str) -> None:
    """Structured logs on stderr: readable at a terminal, JSON lines elsewhere."""
    renderer: Any = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=name)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=logging.ERROR, force=True)


def _complain(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the loop found and nobody awaited, in the process's own log."""
    if not is_left_behind(context):
        structlog.get_logger().error("loop_complains", reason=context["message"], exc_info=context.get("exception"))


async def _with_signals(body: Body) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_complain)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await body(stop)
