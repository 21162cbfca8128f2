"""Consumer lag, from the gauges of many processes."""

from __future__ import annotations

from datetime import timedelta

from exchange.console.lag import lag_rows

from .figures import COPY, FLIGHTS, NOON, RESIDENCES, counting, gauging, history_of, lag, series


def test_partitions_are_added_up_to_a_row():
    """A group's row is the sum of its partitions and names the one that is furthest behind."""
    [row] = lag_rows(history_of(one=gauging({lag(0): 3, lag(1): 40, lag(2): 0})).processes())
    assert (row.group, row.topic, row.lag, row.partitions) == (COPY, RESIDENCES, 43, 3)
    assert (row.worst_partition, row.worst_lag) == ("1", 40)
    assert (row.at, row.stale) == (NOON, False)


def test_a_group_has_a_row_for_each_topic():
    """Groups and topics are not mixed; the largest lag is first."""
    rows = lag_rows(history_of(one=gauging({lag(0): 3, lag(0, FLIGHTS): 9, lag(0, FLIGHTS, "other"): 1})).processes())
    assert [(row.group, row.topic, row.lag) for row in rows] == [
        (COPY, FLIGHTS, 9),
        (COPY, RESIDENCES, 3),
        ("other", FLIGHTS, 1),
    ]


def test_a_partition_that_moved_is_counted_once():
    """After a rebalance the process that answered last is believed."""
    history = history_of(old=gauging({lag(0): 500}), new=gauging({lag(0): 500}))
    later = NOON + timedelta(seconds=2)
    history.process("new", later).answer(gauging({lag(0): 7}), later)
    [row] = lag_rows(history.processes())
    assert (row.lag, row.at) == (7, later)


def test_the_lag_of_a_silent_process_is_old():
    """The last known lag stays, marked, when the process does not answer."""
    history = history_of(one=gauging({lag(0): 3}))
    history.process("one", NOON).fail("cannot be reached", NOON + timedelta(seconds=2))
    [row] = lag_rows(history.processes())
    assert (row.lag, row.at, row.stale) == (3, NOON, True)


def test_the_lag_of_an_ended_process_is_gone():
    """Nobody knows how far behind a group is whose process has ended."""
    history = history_of(one=gauging({lag(0): 3}))
    history.register([], NOON)
    assert lag_rows(history.processes()) == ()


def test_processes_without_lag_have_no_row():
    """A process that consumes nothing is not listed."""
    history = history_of(one=counting({}), two=gauging({series("exchange_audit_tree_size"): 4}))
    history.process("silent", NOON).fail("cannot be reached", NOON)
    assert lag_rows(history.processes()) == ()


def test_a_lag_without_labels_is_shown_all_the_same():
    """A gauge without its labels is a row with question marks, not a failure."""
    [row] = lag_rows(history_of(one=gauging({series("exchange_consumer_lag"): 2})).processes())
    assert (row.group, row.topic, row.worst_partition, row.lag) == ("?", "?", "?", 2)
