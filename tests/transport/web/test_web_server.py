"""The server: it serves while its block runs, and says what is missing."""

from __future__ import annotations

import socket

import pytest
from starlette.applications import Starlette

from exchange.errors import PeerUnreachable, SettingsError
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port, operational_routes, serve


async def test_an_application_is_served_while_the_block_runs():
    """Inside it answers; afterwards nobody listens and the port is free again."""
    listen = f"127.0.0.1:{free_port()}"
    app = Starlette(routes=operational_routes())
    async with HttpClient() as http:
        for _ in range(2):
            async with serve(app, listen):
                answer = await http.send("GET", f"http://{listen}/healthz")
                assert (answer.status, answer.body) == (200, b"ok\n")
    async with HttpClient() as http:
        with pytest.raises(PeerUnreachable):
            await http.send("GET", f"http://{listen}/healthz")


async def test_readiness_says_what_is_missing():
    """Not ready is 503 with one line; ready is 200."""
    missing: list[str] = ["the consents are not read yet"]
    app = Starlette(routes=operational_routes(lambda: missing[0] if missing else None))
    listen = f"127.0.0.1:{free_port()}"
    async with serve(app, listen), HttpClient() as http:
        answer = await http.send("GET", f"http://{listen}/readyz")
        assert (answer.status, answer.body) == (503, b"the consents are not read yet\n")
        missing.clear()
        assert (await http.send("GET", f"http://{listen}/readyz")).status == 200


async def test_metrics_are_prometheus_text():
    """What the process counts can be scraped."""
    listen = f"127.0.0.1:{free_port()}"
    async with serve(Starlette(routes=operational_routes()), listen), HttpClient() as http:
        answer = await http.send("GET", f"http://{listen}/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert b"exchange_lookups_total" in answer.body or b"# HELP" in answer.body


async def test_a_port_that_is_taken_is_said_at_once():
    """The message names the address and what to do."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        listen = f"127.0.0.1:{holder.getsockname()[1]}"
        with pytest.raises(SettingsError, match=listen):
            async with serve(Starlette(), listen):
                pass
