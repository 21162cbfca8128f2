"""What an adapter file must mean, beyond the types of its keys. A breach is reported where it is in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from exchange.connect.config import Publication, Service, Subscription
from exchange.errors import IdentifierError
from exchange.ids import AgencyId, PublisherId, Topic

Breach = tuple[tuple[str | int, ...], Any, str]
"""Where it is in the file, what stands there, and what is wrong with it."""


def verify_rules(
    agency: AgencyId,
    publishers: Sequence[Publication],
    subscriptions: Sequence[Subscription],
    services: Sequence[Service],
) -> None:
    """Raises ValidationError with the place of the first rule that is broken."""
    if not (publishers or subscriptions or services):
        _refuse((("agency",), str(agency), "the file has no publishers, no subscriptions and no services"))
    for section, entries in (("publishers", publishers), ("subscriptions", subscriptions), ("services", services)):
        _refuse_first(_names(section, entries, agency))
    _refuse_first(_topics(agency, publishers, subscriptions))
    _refuse_first(_match_columns(subscriptions))
    _refuse_first(_addresses(services))


def _refuse_first(breaches: Iterator[Breach]) -> None:
    for breach in breaches:
        _refuse(breach)


def _refuse(breach: Breach) -> None:
    place, value, message = breach
    error = PydanticCustomError("value_error", "{message}", {"message": message})
    details = InitErrorDetails(type=error, loc=place, input=value)
    raise ValidationError.from_exception_data("AdapterFile", [details])


def _names(section: str, entries: Sequence[Any], agency: AgencyId) -> Iterator[Breach]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        place = (section, index, "name")
        try:
            PublisherId.parse(f"{agency}/{entry.name}")
        except IdentifierError:
            yield place, entry.name, f"{entry.name!r} is not a name: expected lower-case letters, digits and hyphens"
        if entry.name in seen:
            yield place, entry.name, f"{entry.name!r} is the name of two {section}"
        seen.add(entry.name)


def _topics(
    agency: AgencyId, publishers: Sequence[Publication], subscriptions: Sequence[Subscription]
) -> Iterator[Breach]:
    for index, publisher in enumerate(publishers):
        yield from _topic(("publishers", index, "topic"), publisher.topic, agency)
    for index, subscription in enumerate(subscriptions):
        yield from _topic(("subscriptions", index, "topic"), subscription.topic, None)


def _topic(place: tuple[str | int, ...], name: str, owner: AgencyId | None) -> Iterator[Breach]:
    try:
        topic = Topic.parse(name)
    except IdentifierError as error:
        yield place, name, error.message
        return
    if owner is not None and not topic.owned_by(owner):
        yield place, name, f"{name} is not {owner}'s to publish: its topics start with {owner.topic_prefix}"


def _match_columns(subscriptions: Sequence[Subscription]) -> Iterator[Breach]:
    for index, subscription in enumerate(subscriptions):
        for position, column in enumerate(subscription.match):
            if column not in subscription.columns:
                known = ", ".join(subscription.columns)
                place = ("subscriptions", index, "match", position)
                yield place, column, f"{column!r} is not one of this subscription's columns: {known}"


def _addresses(services: Sequence[Service]) -> Iterator[Breach]:
    seen: dict[str, str] = {}
    for index, service in enumerate(services):
        if service.listen in seen:
            place = ("services", index, "listen")
            yield place, service.listen, f"{service.listen} is where {seen[service.listen]} listens already"
        seen[service.listen] = service.name
