"""Writing entries: signed, and durable before anything is released (spec 6: the entry before the data)."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType

from exchange.audit import metrics
from exchange.audit.durable import Connection, DurableTopic
from exchange.audit.entry import AuditEntry
from exchange.audit.receipt import Receipt
from exchange.audit.record import SALT_BYTES, require_acceptable, sign_entry
from exchange.audit.topic import PARTITION, audit_topic, ensure_audit_topic
from exchange.errors import AuditError, AuditUnavailable, DocumentInvalid, RecordTooLarge, TransportError
from exchange.transport.http import Credentials
from exchange.transport.kafka import IdempotentProducer
from exchange.trust import Directory


class AuditWriter:
    """A gateway's writer of audit entries, as an async context manager; `append` may be called concurrently.

    Entering creates the topic where it is missing; raises BrokerUnreachable, TransportError or SettingsError.
    """

    def __init__(
        self,
        bootstrap: str,
        credentials: Credentials,
        directory: Callable[[], Directory],
        *,
        salt: Callable[[int], bytes] = os.urandom,
        connect: Callable[[str], DurableTopic] = IdempotentProducer,
    ) -> None:
        self._bootstrap = bootstrap
        self._credentials = credentials
        self._directory = directory
        self._salt = salt
        self._connection = Connection(lambda: connect(bootstrap))
        self._topic = audit_topic(credentials.agency)

    async def __aenter__(self) -> AuditWriter:
        await ensure_audit_topic(self._bootstrap, self._topic)
        await self._connection.get()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def append(self, entry: AuditEntry) -> Receipt:
        """The receipt of `entry`, once the entry is durable. On any AuditError: release nothing.

        Raises AuditUnavailable (Kafka did not confirm it; it may be on the topic all the same), or AuditError of
        code `entry_refused` (the log would not take it: this gateway, its key or the entry is not as it must be).
        """
        try:
            record = sign_entry(entry, self._credentials, self._salt(SALT_BYTES))
            require_acceptable(record, entry, self._directory())  # what the log would refuse later is refused now
            with metrics.APPEND_SECONDS.time():
                await self._write(record.encode())
        except (DocumentInvalid, RecordTooLarge, ValueError) as error:
            metrics.APPENDS.labels("refused").inc()
            raise AuditError(f"the audit log would refuse this entry: {error}", code="entry_refused") from error
        except TransportError as error:
            metrics.APPENDS.labels("failed").inc()
            raise AuditUnavailable(
                f"the audit entry is not durable, so nothing is released: {error.message}"
            ) from error
        metrics.APPENDS.labels("written").inc()
        return Receipt(record)

    async def _write(self, value: bytes) -> None:
        durable = await self._connection.get()
        try:
            await durable.append(self._topic, value, partition=PARTITION)
        except RecordTooLarge:
            raise
        except TransportError:
            self._connection.drop(durable)
            raise
