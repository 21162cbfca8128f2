"""Threads of our own: free where the loop's are not, alive after a fork."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from exchange.threads import OwnThreads


async def test_they_are_free_where_the_loops_own_threads_are_taken():
    """A program that blocks every thread of its loop blocks none of these."""
    free = threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    blocked = asyncio.ensure_future(asyncio.to_thread(free.wait))
    assert await asyncio.wait_for(OwnThreads("own", 1).run(divmod, 7, 2), 5.0) == (3, 1)
    assert not blocked.done()
    free.set()
    await blocked


async def test_an_error_is_raised_where_it_is_waited_for():
    """As if the call had been made here."""
    with pytest.raises(ZeroDivisionError):
        await OwnThreads("own", 1).run(divmod, 7, 0)


async def test_no_more_run_at_once_than_were_asked_for():
    """The rest waits."""
    threads, running, most = OwnThreads("own", 2), [], []

    def work() -> None:
        running.append(1)
        most.append(len(running))
        threading.Event().wait(0.01)
        running.pop()

    await asyncio.gather(*[threads.run(work) for _ in range(10)])
    assert max(most) == 2


async def test_a_child_starts_its_own():
    """A fork takes no threads along: the child's call returns all the same."""
    threads = OwnThreads("own", 1)
    await threads.run(divmod, 7, 2)
    if (child := os.fork()) == 0:
        try:
            answer = asyncio.new_event_loop().run_until_complete(asyncio.wait_for(threads.run(divmod, 7, 2), 5.0))
        finally:
            os._exit(0 if answer == (3, 1) else 1)
    assert os.waitstatus_to_exitcode((await asyncio.to_thread(os.waitpid, child, 0))[1]) == 0
