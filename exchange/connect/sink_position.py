"""Where a sink stands: table EXCHANGE_POSITION, written in the transaction of the rows, by compare-and-set."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    column,
    select,
)
from sqlalchemy.exc import IntegrityError

from exchange.bus import StoredPosition
from exchange.errors import SinkFenced

_TABLE = Table(
    "EXCHANGE_POSITION",
    MetaData(),
    Column("SUBSCRIPTION", String(200), primary_key=True),
    Column("TOPIC", String(250), primary_key=True),
    Column("PARTITION_NO", Integer, primary_key=True, autoincrement=False),
    Column("NEXT_OFFSET", BigInteger, nullable=False),
    Column("SEQUENCES", Text, nullable=False),
)


def create_position_table(connection: Connection) -> None:
    """Create the table where it is not there yet."""
    _TABLE.create(connection, checkfirst=True)


def load_position(connection: Connection, subscription: str, topic: str, partition: int) -> StoredPosition | None:
    """What is stored, or None."""
    row = connection.execute(
        select(_TABLE.c.NEXT_OFFSET, _TABLE.c.SEQUENCES).where(*_place(subscription, topic, partition))
    ).first()
    return None if row is None else StoredPosition(row[0], row[1])


def move_position(
    connection: Connection,
    subscription: str,
    topic: str,
    partition: int,
    expected: int | None,
    following: StoredPosition,
) -> None:
    """Move from `expected` (None: nothing stored) to `following`; raises SinkFenced where something else is stored."""
    values = {"NEXT_OFFSET": following.next_offset, "SEQUENCES": following.sequences}
    if expected is None:
        place = {"SUBSCRIPTION": subscription, "TOPIC": topic, "PARTITION_NO": partition}
        try:
            connection.execute(_TABLE.insert().values(**place, **values))
        except IntegrityError:
            raise _fenced(subscription, topic, partition) from None
        return
    where = (*_place(subscription, topic, partition), column("NEXT_OFFSET") == expected)
    if connection.execute(_TABLE.update().where(*where).values(**values)).rowcount != 1:
        raise _fenced(subscription, topic, partition)


def _place(subscription: str, topic: str, partition: int) -> tuple[ColumnElement[bool], ...]:
    return (
        column("SUBSCRIPTION") == subscription,
        column("TOPIC") == topic,
        column("PARTITION_NO") == partition,
    )


def _fenced(subscription: str, topic: str, partition: int) -> SinkFenced:
    return SinkFenced(f"{subscription}: another writer moved the position of {topic}/{partition}; nothing was written")
