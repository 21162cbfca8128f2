"""The registry is killed while it registers: what was answered stays, and no id is ever given to two schemas."""

import asyncio
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from exchange.avro import Schema
from exchange.clock import SystemClock
from exchange.errors import PeerUnreachable
from exchange.registry import RegistryClient
from exchange.transport.web import free_port
from tests.registry.conftest import schema

PROGRAM = Path(__file__).with_name("registry_process.py")


@pytest.fixture
def running(kafka, unique, http):
    """Starts a registry process over this test's topic; it is killed when the block ends."""
    topic = unique("schemas")

    @asynccontextmanager
    async def start():
        listen = f"127.0.0.1:{free_port()}"
        process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), kafka, topic, listen)
        try:
            client = RegistryClient(http, f"http://{listen}", SystemClock())
            await _ready(client, process)
            yield client, process
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    return start


async def _ready(client, process):
    while process.returncode is None:
        with suppress(PeerUnreachable):
            await client.subjects()
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the registry ended with {process.returncode}")


def text(number):
    """The text of one of many schemas."""
    return schema("a", name=f"uz.R{number}")


async def test_a_kill_in_the_middle_loses_nothing_and_doubles_nothing(running):
    """Three times: many registrations are under way, SIGKILL, a new process, and everything answered is there."""
    answered = {}
    for turn in range(3):
        async with running() as (client, process):
            await _register_until_killed(client, process, turn, answered)
    async with running() as (client, _):
        for number, schema_id in answered.items():
            assert (await client.schema(schema_id)).schema == Schema.parse(text(number))
            assert await client.register(f"s{number}-value", text(number)) == schema_id
        everything = [await client.version(subject) for subject in await client.subjects()]
    by_id = {}
    for each in everything:
        assert by_id.setdefault(each.id, each.schema) == each.schema
    assert len(by_id) == len({each.schema for each in everything}) >= len(answered) > 0


async def _register_until_killed(client, process, turn, answered):
    async def register(number):
        with suppress(PeerUnreachable):
            answered[number] = await client.register(f"s{number}-value", text(number))

    tasks = [asyncio.create_task(register(turn * 100 + number)) for number in range(40)]
    before = len(answered)
    while len(answered) < before + 5:
        await asyncio.sleep(0)
    process.kill()
    await asyncio.gather(*tasks)


async def test_a_registry_that_is_taken_over_ends_with_an_error(running):
    """The first process ends by itself once it finds that another writes."""
    async with running() as (first, old):
        assert await first.register("a-value", text(1)) == 1
        async with running() as (second, _):
            with pytest.raises(PeerUnreachable, match="another registry took over"):
                await first.register("b-value", text(2))
            assert await asyncio.wait_for(old.wait(), 30) != 0
            assert await second.register("b-value", text(2)) == 2
