"""Kafka's failures as errors of the exchange: what the address is, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
)

from exchange.errors import BrokerUnreachable, ExchangeError, PublisherFenced, RecordTooLarge, TransportError

CONNECT_SECONDS = 9.0
"""How long a start may take before the broker counts as unreachable: the caller has its answer within 10 s."""
TOO_LARGE = "a record is larger than its topic takes (max.message.bytes)"


def unreachable(bootstrap: str) -> BrokerUnreachable:
    """The error for a broker that does not answer."""
    return BrokerUnreachable(
        f"Kafka does not answer at {bootstrap}: start it (`exchange up` starts a single node) "
        "or correct kafka.bootstrap in exchange.yaml"
    )


def translate(error: BaseException, bootstrap: str) -> ExchangeError:
    """The exchange's error for one of Kafka's."""
    if isinstance(error, ExchangeError):
        return error
    if isinstance(error, (ProducerFenced, InvalidProducerEpoch)):
        return PublisherFenced(
            "another process took this publisher over, or its transaction outlived the broker's limit: "
            "this one stops; see that only one runs"
        )
    if isinstance(error, MessageSizeTooLargeError):
        return RecordTooLarge(TOO_LARGE)
    if isinstance(error, (KafkaConnectionError, OSError, TimeoutError)):
        return unreachable(bootstrap)
    return TransportError(f"Kafka at {bootstrap} refused: {type(error).__name__}: {error}")


def is_left_behind(context: Mapping[str, Any]) -> bool:
    """Whether what an event loop complains of is a future that aiokafka forgot: its error was raised elsewhere."""
    return isinstance(context.get("exception"), KafkaError) and "never retrieved" in str(context.get("message"))


@asynccontextmanager
async def translated(bootstrap: str, seconds: float | None = None) -> AsyncIterator[None]:
    """Run a block within `seconds`; Kafka's errors and a timeout leave it as the exchange's (`translate`)."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise translate(error, bootstrap) from error
