"""The registry itself: what each request means, whatever carries it."""

from __future__ import annotations

import asyncio

from exchange.errors import TransportError
from exchange.registry.administration import Administration
from exchange.registry.candidate import Candidates
from exchange.registry.checking import Checker
from exchange.registry.entities import Config, ConfigUpdate, SchemaRequest, SchemaVersion
from exchange.registry.linting import Linting
from exchange.registry.parsing import Parser
from exchange.registry.ports import SchemaStore
from exchange.registry.reader import Reader, all_or
from exchange.registry.registration import Registration
from exchange.registry.state import State
from exchange.registry.subjects import DEFAULT, normalized, normalized_context
from exchange.registry.writer import Writer


class RegistryService(Reader):
    """A replica of the registry: it follows `_schemas`, answers from memory, and writes while it leads.

    `url` is where other replicas reach this one; `linting` what the instance asks of schemas beyond being Avro. A
    registry that is not `alone` writes only once it was told to lead (`claim`).
    """

    def __init__(
        self, store: SchemaStore, url: str = "", linting: Linting | None = None, *, alone: bool = True
    ) -> None:
        state = State()
        parser = Parser(state)
        super().__init__(state, parser, Candidates(state, parser), Checker(parser))
        self._store = store
        self._writer = Writer(store, state, url, alone)
        self._linting = linting or Linting(mode="off")
        self._registration = Registration(state, self._candidates, self._checker, self._linting, self._writer)
        self._administration = Administration(state, self._writer)
        self._indexing: asyncio.Task[None] | None = None
        self._ready = False

    # ------------------------------------------------------------------ its life

    async def start(self) -> None:
        """Catch up with the topic; raises BrokerUnreachable or SettingsError."""
        await self._store.start(self._state.apply)
        self._writer.start()
        self._indexing = asyncio.create_task(self._candidates.complete_index(DEFAULT))
        self._ready = True

    async def close(self) -> None:
        """Finish the write under way, then stop."""
        self._ready = False
        if self._indexing is not None:
            self._indexing.cancel()
            await asyncio.gather(self._indexing, return_exceptions=True)
        await self._writer.close()
        await self._store.close()

    async def wait_stopped(self) -> None:
        """Return only by raising what the process must end for."""
        following = asyncio.ensure_future(self._store.wait_stopped())
        writing = asyncio.ensure_future(self._writer.wait_stopped())
        try:
            done, _ = await asyncio.wait({following, writing}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                await each
        finally:
            self._ready = False
            following.cancel()
            writing.cancel()

    def not_ready(self) -> str | None:
        """None once caught up; before that and after a stop, what is missing."""
        return None if self._ready else "the registry has not read its topic yet"

    def require_ready(self) -> None:
        """Raises TransportError of code `registry_not_ready`."""
        missing = self.not_ready()
        if missing is not None:
            raise TransportError(missing, code="registry_not_ready")

    # ------------------------------------------------------------------ replicas

    @property
    def leader(self) -> str | None:
        """The URL of the replica that announced itself as the writer."""
        return self._state.leader

    @property
    def leads(self) -> bool:
        """Whether this replica writes, as far as it knows."""
        return self._writer.leads

    @property
    def fenced(self) -> bool:
        """Whether it wrote until another took over, whose announcement may be under way."""
        return self._writer.fenced

    @property
    def written(self) -> int:
        """The offset of the newest record of `_schemas` that was applied here."""
        return self._state.written

    async def claim(self) -> None:
        """Become the writer: fence whoever was, and say so in the topic. Raises TransportError."""
        await self._writer.claim()

    async def applied(self, offset: int) -> None:
        """Return once the record at `offset` is applied here; raises BrokerUnreachable."""
        await self._store.applied(offset)

    # ------------------------------------------------------------------ writes

    async def register(self, subject: str, request: SchemaRequest, normalize: bool = False) -> SchemaVersion:
        """The version that holds a schema, new or not.

        Raises SchemaInvalid, SchemaIncompatible or TransportError.
        """
        return await self._registration.register(normalized(subject), request, normalize)

    async def lint(self, subject: str, request: SchemaRequest) -> list[str]:
        """What the house would have otherwise in a schema that was sent; raises SchemaInvalid."""
        candidate = await self._candidates.read(normalized(subject), request, normalize=False)
        schema = candidate.parsed.schema
        return await self._candidates.away(candidate, self._linting.warnings, normalized(subject), schema)

    async def delete_version(self, subject: str, number: int, permanent: bool = False) -> int:
        """Delete a version, and say which; raises SchemaNotFound or SchemaInvalid."""
        return await self._administration.delete_version(normalized(subject), number, permanent)

    async def delete_subject(self, subject: str, permanent: bool = False) -> list[int]:
        """Delete a subject's versions, and say which; raises SchemaNotFound or SchemaInvalid."""
        return await self._administration.delete_subject(normalized(subject), permanent)

    async def set_config(self, subject: str | None, update: ConfigUpdate) -> Config:
        """Configure a subject, a context or all (None), and say what is configured now; raises SchemaInvalid."""
        return await self._administration.set_config(all_or(subject), update)

    async def delete_config(self, subject: str | None) -> Config:
        """Take a configuration back, and say what it was; raises SchemaNotFound."""
        return await self._administration.delete_config(all_or(subject))

    async def set_mode(self, subject: str | None, mode: str, force: bool = False) -> str:
        """Set the mode of a subject, a context or all (None); raises SchemaInvalid."""
        return await self._administration.set_mode(all_or(subject), mode, force)

    async def delete_mode(self, subject: str | None, recursive: bool = False) -> str | None:
        """Take a mode back, and say what it was; `recursive` those of a context's subjects too.

        Raises SchemaNotFound.
        """
        return await self._administration.delete_mode(all_or(subject), recursive)

    async def delete_context(self, context: str) -> None:
        """End a context that holds nothing; raises SchemaInvalid."""
        await self._administration.delete_context(normalized_context(context))
