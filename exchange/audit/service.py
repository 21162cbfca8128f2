"""The `exchange audit` process: one topic into one log, served over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType

from exchange.audit.app import create_app
from exchange.audit.sequencer import Sequencer
from exchange.audit.source import EntryTopic
from exchange.audit.store import LogStore
from exchange.audit.topic import ensure_audit_topic, log_topic
from exchange.clock import Clock
from exchange.errors import SettingsError
from exchange.merkle import is_key_name
from exchange.settings import AuditSettings
from exchange.transport.web import serve
from exchange.trust import Directory, Signer


@dataclass(frozen=True, slots=True)
class AuditContext:
    """What the process is given: Kafka's address, the directory, the log's key, the folder of its tiles."""

    bootstrap: str
    directory: Callable[[], Directory]
    signer: Signer
    folder: Path
    clock: Clock
    settings: AuditSettings


class AuditLogService:
    """The running log, as an async context manager.

    Entering raises SettingsError (a wrong key, topic or address), AuditError (the folder's log is in use or does
    not match its checkpoint), BrokerUnreachable. Leaving publishes what was taken; StorageFull says it could not.
    """

    def __init__(self, context: AuditContext) -> None:
        self._context = context
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> AuditLogService:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        try:
            if self._running is not None:
                await self._running
        finally:
            await self._stack.aclose()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Return once `stop` is set; raises AuditError where the log may not go on."""
        assert self._running is not None  # noqa: S101  (entering starts it)
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([stopped, self._running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if self._running.done():
            await self._running

    async def _start(self) -> None:
        context, directory = self._context, self._context.directory()
        _require_own_key(directory, context.signer)
        topic = log_topic(directory)
        store = await asyncio.to_thread(LogStore, context.folder, directory.audit_log.origin, context.signer)
        self._stack.callback(store.close)
        await ensure_audit_topic(context.bootstrap, topic)
        source = EntryTopic(context.bootstrap, topic, store.published.positions.get(topic, 0))
        self._stack.push_async_callback(source.close)
        await source.open()
        interval = timedelta(seconds=context.settings.checkpoint_seconds)
        sequencer = Sequencer(topic, source, store, context.directory, context.clock, interval)
        app = create_app(store, sequencer.is_pending, sequencer.not_ready)
        await self._stack.enter_async_context(serve(app, context.settings.listen))
        self._running = asyncio.create_task(sequencer.run(self._stop))


def _require_own_key(directory: Directory, signer: Signer) -> None:
    if directory.audit_log.key.public != signer.public:
        raise SettingsError(
            f"the audit log's key is {signer.public.fingerprint}, but the directory (version {directory.version}) has "
            f"{directory.audit_log.key.public.fingerprint}: nobody would accept its checkpoints"
        )
    if not is_key_name(directory.audit_log.origin):
        raise SettingsError(f"the audit log's origin {directory.audit_log.origin!r} is no C2SP key name")
