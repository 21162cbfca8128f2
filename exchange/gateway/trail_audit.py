"""The audit trail on the audit topic: an AuditTrail over the audit package's writer."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from exchange.audit import AuditEntry, AuditWriter
from exchange.gateway.ports import Receipt
from exchange.transport.http import Credentials
from exchange.trust import Directory


class AuditTopicTrail:
    """An AuditTrail of one gateway, as an async context manager."""

    def __init__(self, bootstrap: str, gateway: Credentials, directory: Callable[[], Directory]) -> None:
        self._writer = AuditWriter(bootstrap, gateway, directory)

    async def __aenter__(self) -> AuditTopicTrail:
        await self._writer.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._writer.__aexit__(None, None, None)

    async def append(self, entry: AuditEntry) -> Receipt:
        """The entry's receipt as JSON data, once the entry is durable; raises AuditError."""
        receipt = await self._writer.append(entry)
        return msgspec.json.decode(receipt.encode(), type=dict)
