"""The topic `_schemas` in memory: a SchemaStore that passes the contract test of the real one."""

import asyncio

from exchange.errors import PublisherFenced, TransportError


class MemoryLog:
    """What outlives a store: the records, and which store writes."""

    def __init__(self, records=()):
        self.records = list(records)
        self.writer = None


class MemorySchemaStore:
    """A SchemaStore over a MemoryLog.

    `fail_next` makes the next append fail: with False nothing was written, with True the record is there all the same.
    """

    def __init__(self, log=None):
        self.log = log or MemoryLog()
        self.fail_next = None
        self._apply = None
        self._applied = 0
        self._fenced = asyncio.Event()

    async def start(self, apply):
        """Fence, then apply."""
        if self.log.writer is not None:
            self.log.writer._fenced.set()
        self.log.writer = self
        self._apply = apply
        self._follow()

    async def prepare(self):
        """Apply what there is."""
        self._raise_if_fenced()
        self._follow()

    async def append(self, key, value):
        """Write and apply one record."""
        self._raise_if_fenced()
        failing, self.fail_next = self.fail_next, None
        if failing is not False:
            self.log.records.append((key, value))
        if failing is not None:
            raise TransportError("the broker went away")
        self._follow()

    async def wait_stopped(self):
        """Until fenced."""
        await self._fenced.wait()
        self._raise_if_fenced()

    async def close(self):
        """Nothing to stop."""

    def _follow(self):
        for offset, (key, value) in list(enumerate(self.log.records))[self._applied :]:
            self._apply(key, value, offset)
        self._applied = len(self.log.records)

    def _raise_if_fenced(self):
        if self._fenced.is_set():
            raise PublisherFenced("another registry took over")
