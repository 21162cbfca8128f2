"""Who may write: the agency that owns a topic in the directory, and no other, registers its subject's schemas."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from exchange.clock import Clock
from exchange.errors import IdentifierError, RequestRefused, SchemaNotOwned
from exchange.ids import AgencyId, Topic
from exchange.registry.subjects import topic_name
from exchange.transport.http import HttpRequest, TransactionWindow, verify_request
from exchange.trust import Directory

log = structlog.get_logger()
_UNSIGNED = (
    "this write is not signed: the agency that owns the topic signs it (RFC 9421, spec 5), as `exchange schema "
    "register` does; a registry for development takes unsigned writes when it is started with --open"
)


class SignedWrites:
    """Admits writes that are signed (spec 5) by the owner of the subject's topic."""

    def __init__(self, directory: Callable[[], Directory], clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._window = TransactionWindow(clock.now())

    def admit(self, request: HttpRequest, subject: str | None) -> None:
        """Raises RequestRefused, DirectoryExpired or SchemaNotOwned."""
        if "signature" not in request.headers:
            raise RequestRefused(_UNSIGNED, code="signature_missing")
        now, directory = self._clock.now(), self._directory()
        sender = verify_request(request, directory, now)
        self._window.admit(sender, now)
        require_owner(subject, sender.agency, directory)


class OpenWrites:
    """Admits every write: for development and for trying tools out. Says so, loudly."""

    def __init__(self) -> None:
        log.warning(
            "registry_is_open",
            meaning="anyone who reaches this registry can register schemas for any agency's topic",
            remedy="set registry.open to false in exchange.yaml (EXCHANGE_REGISTRY_OPEN=false)",
        )

    def admit(self, request: HttpRequest, subject: str | None) -> None:
        """Admits."""


def require_owner(subject: str | None, agency: AgencyId, directory: Directory) -> None:
    """Raises SchemaNotOwned, saying who owns the subject and who asked."""
    if subject is None:
        raise SchemaNotOwned(f"The setting for all subjects belongs to no agency: {agency} may set its own subjects'")
    entry = directory.topic(_topic_of(subject, agency))
    if entry is None:
        raise SchemaNotOwned(
            f"Subject '{subject}' belongs to no topic of the directory, so {agency} may not write it: "
            "the topic's owner has it entered in the directory first"
        )
    if entry.owner != agency:
        raise SchemaNotOwned(f"Subject '{subject}' belongs to {entry.owner}; {agency} asked")


def _topic_of(subject: str, agency: AgencyId) -> str:
    name = topic_name(subject)
    try:
        if name is None:
            raise IdentifierError("no value subject")
        return str(Topic.parse(name))
    except IdentifierError:
        raise SchemaNotOwned(
            f"Subject '{subject}' is not <topic>-value of a topic, so no agency owns it; {agency} asked"
        ) from None
