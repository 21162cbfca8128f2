"""The topic `_schemas` in memory: a SchemaStore that passes the contract test of the real one."""

import asyncio

from exchange.errors import BrokerUnreachable, PublisherFenced, RecordTooLarge, TransportError

LARGEST = 8 << 20


class MemoryLog:
    """What outlives a store: the records, which stores follow, and which one writes."""

    def __init__(self, records=()):
        self.records = list(records)
        self.followers = []
        self.writer = None

    def write(self, records):
        """Append records, and have every follower apply them."""
        self.records.extend(records)
        for follower in self.followers:
            follower.follow()


class MemorySchemaStore:
    """A SchemaStore over a MemoryLog.

    `fail_next` makes the next append fail: with False nothing was written, with True the records are there all the
    same. `stop_following` makes the process unable to go on.
    """

    def __init__(self, log=None):
        self.log = log or MemoryLog()
        self.fail_next = None
        self._apply = None
        self._applied = 0
        self._leads = False
        self._stopped = asyncio.Event()

    async def start(self, apply):
        """Apply what there is, and follow."""
        self._apply = apply
        self.follow()
        self.log.followers.append(self)

    async def lead(self):
        """Fence the one that leads."""
        self._require_started()
        self.log.writer, self._leads = self, True

    async def append(self, records):
        """Write and apply."""
        self._require_leading()
        if any(len(value or b"") > LARGEST for _, value in records):
            raise RecordTooLarge("too large")
        failing, self.fail_next = self.fail_next, None
        if failing is not False:
            self.log.write(records)
        if failing is not None:
            self._leads = False
            raise TransportError("the broker went away")
        return len(self.log.records) - 1

    async def applied(self, offset):
        """At once: whatever is written here is applied everywhere."""
        self._require_started()
        if offset >= self._applied:
            raise BrokerUnreachable("nothing was written there")

    async def wait_stopped(self):
        """Until `stop_following`."""
        self._require_started()
        await self._stopped.wait()
        raise TransportError("the reader ended")

    async def close(self):
        """Follow no longer."""
        self._leads = False
        if self in self.log.followers:
            self.log.followers.remove(self)

    def stop_following(self):
        """What a reader that ends looks like."""
        self._stopped.set()

    def follow(self):
        """Apply what is new."""
        for offset, (key, value) in list(enumerate(self.log.records))[self._applied :]:
            self._apply(key, value, offset)
        self._applied = len(self.log.records)

    def _require_started(self):
        if self._apply is None:
            raise TransportError("the store was not started", code="registry_not_ready")

    def _require_leading(self):
        self._require_started()
        if not self._leads:
            raise TransportError("this registry does not lead", code="not_leading")
        if self.log.writer is not self:
            self._leads = False
            raise PublisherFenced("another registry took over")
