"""One adapter, running: every publisher, subscription and service of one file, together, until told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from exchange.connect.app import provider_app
from exchange.connect.assembly import read_schema, source_of
from exchange.connect.capture import Capture
from exchange.connect.config import Publication, Service, Subscription
from exchange.connect.database import Database
from exchange.connect.file import AdapterFile
from exchange.connect.follow import Follow
from exchange.connect.kafka_bus import KafkaBus
from exchange.connect.mapping import TableMapping
from exchange.connect.ports import AdapterContext, Bus
from exchange.connect.provider import LookupTable
from exchange.connect.retry import Backoff
from exchange.connect.sink import SqlSink
from exchange.connect.structure import Structure
from exchange.errors import AdapterError, DatabaseUnavailable, ProcessError
from exchange.transport.web import serve

log = structlog.get_logger()


class AdapterRuntime:
    """Runs one adapter file. `root`: where the file's schema paths start. `bus`: Kafka unless given."""

    def __init__(self, file: AdapterFile, *, root: Path, context: AdapterContext, bus: Bus | None = None) -> None:
        self._file = file
        self._root = root
        self._context = context
        self._bus = bus or KafkaBus(file.agency_id, context)
        self._databases: list[Database] = []
        self._waiting: dict[str, Callable[[], bool]] = {}
        self._captures: list[Capture] = []
        self._open_services: set[str] = set()

    def not_ready(self) -> str | None:
        """None when every part does its work; else, in one line, which do not."""
        if not self._waiting:
            return "starting"
        waiting = [name for name, is_ready in self._waiting.items() if not is_ready()]
        return f"not ready: {', '.join(waiting)}" if waiting else None

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, or this call is cancelled; then what is under way is committed, within 10 s.

        Raises AdapterError, SettingsError, SchemaError (file, database and schemas do not fit), TransportError (Kafka
        or the registry is not there at the start), PublisherFenced, ProcessError (it had to be broken off), and
        whatever else will not pass by waiting.
        """
        await self._run(stop, once=False)

    async def run_once(self) -> dict[str, int]:
        """Publish every table to its end, and return how many events each publisher published. Raises as `run` does."""
        await self._run(asyncio.Event(), once=True)
        return {each.name: each.published for each in self._captures}

    async def _run(self, stop: asyncio.Event, *, once: bool) -> None:
        stopping = asyncio.Event()
        work = asyncio.create_task(self._work(stopping, once))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({work, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.set()
            stopped.cancel()
            await self._drain(work)
            await self._close()
        if work.cancelled():
            raise ProcessError(f"{self._file.path}: what was under way did not end in time, and is not committed")
        await work

    async def _drain(self, work: asyncio.Task[None]) -> None:
        try:
            await asyncio.wait({work}, timeout=self._context.patience.grace)
        finally:
            if not work.done():
                log.warning("adapter_broken_off", agency=self._file.agency)
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work

    async def _close(self) -> None:
        for database in self._databases:
            await database.close()

    async def _work(self, stopping: asyncio.Event, once: bool) -> None:
        await self._verify_structure()
        failures: list[Exception] = []

        async def guarded(part: Coroutine[Any, Any, Any]) -> None:
            """A part that fails stops the others, which then finish what they have under way."""
            try:
                await part
            except Exception as error:
                failures.append(error)
                stopping.set()

        parts = self._parts(stopping, once)
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(guarded(part))
        if failures:
            raise failures[0]

    async def _verify_structure(self) -> None:
        """Raises AdapterError with the first thing, and its place in the file, that does not fit."""
        structure = Structure(self._file, self._root)
        try:
            findings = await self._database(read_only=True).run(lambda connection: list(structure.findings(connection)))
        except DatabaseUnavailable as error:
            log.warning("adapter_unverified", agency=self._file.agency, reason=error.message)
            return
        for found in findings:
            if found.severity == "error":
                raise AdapterError(f"{found.place}: {found.message}")
            log.warning("adapter_doubtful", place=found.place, reason=found.message)

    def _parts(self, stopping: asyncio.Event, once: bool) -> list[Coroutine[Any, Any, Any]]:
        self._captures = [self._capture(each) for each in self._file.publishers]
        parts: list[Coroutine[Any, Any, Any]] = [each.run(stopping, once=once) for each in self._captures]
        self._waiting = {each.name: partial(getattr, each, "is_ready") for each in self._captures}
        if not once:
            parts += [self._follow(each, stopping) for each in self._file.subscriptions]
            parts += [self._serve(each, stopping) for each in self._file.services]
        return parts

    def _capture(self, publication: Publication) -> Capture:
        schema = read_schema(publication, self._root)
        mapping = TableMapping(publication, schema.fields, self._context.pepper)
        return Capture(
            self._file.agency_id,
            publication,
            schema.schema.text,
            mapping,
            source_of(publication, mapping, self._database(read_only=True)),
            self._bus,
            self._context,
            self._file.database.poll,
        )

    def _follow(self, subscription: Subscription, stopping: asyncio.Event) -> Coroutine[Any, Any, None]:
        sink = SqlSink(self._database(read_only=False), subscription)
        follow = Follow(self._file.agency_id, subscription, sink, self._bus, self._context)
        self._waiting[subscription.name] = lambda: follow.is_ready
        return follow.run(stopping)

    def _serve(self, service: Service, stopping: asyncio.Event) -> Coroutine[Any, Any, None]:
        self._waiting[service.name] = lambda: service.name in self._open_services
        table = LookupTable(self._database(read_only=True), self._file.agency_id, service, self._context.pepper)
        return self._serve_table(table, service, stopping)

    async def _serve_table(self, table: LookupTable, service: Service, stopping: asyncio.Event) -> None:
        backoff = Backoff(self._context.patience, stopping)
        app = provider_app(table, self._file.agency_id, self._context, self.not_ready)
        while not stopping.is_set():
            try:
                await table.open()
                break
            except DatabaseUnavailable as error:
                await backoff.after(error, service.name)
        async with serve(app, service.listen):
            self._open_services.add(service.name)
            await stopping.wait()

    def _database(self, *, read_only: bool) -> Database:
        database = Database(self._file.database.url, read_only=read_only, busy_seconds=self._context.patience.busy)
        self._databases.append(database)
        return database
