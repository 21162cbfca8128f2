"""The HTTP client: peers that answer, hang, talk nonsense, or are not there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from exchange.clock import SystemClock
from exchange.errors import PeerUnreachable, RequestRefused
from exchange.ids import uuid7
from exchange.transport.http import HttpClient
from exchange.transport.web import free_port
from tests.fakes.instance import PROCUREMENT, TAX, FakeInstance

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Mixed-Case: Yes\r\n\r\nhello"


@asynccontextmanager
async def peer(answer: bytes | None, heard: list[bytes] | None = None):
    """A raw server that answers every connection with these bytes; None is never."""
    hanging = asyncio.Event()

    async def handle(reader, writer):
        request = await reader.read(65536)
        if heard is not None:
            heard.append(request)
        if answer is None:
            await hanging.wait()
        else:
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        hanging.set()
        server.close()


async def refusal(url: str, timeout: float = 5.0, **settings) -> PeerUnreachable:
    """What asking that address raises."""
    async with HttpClient(timeout=timeout, **settings) as http:
        with pytest.raises(PeerUnreachable) as caught:
            await http.send("GET", url)
    return caught.value


async def test_an_answer_has_status_headers_and_body():
    """Header names come in lower case, the body whole."""
    async with peer(HELLO) as url, HttpClient() as http:
        answer = await http.send("GET", url)
    assert (answer.status, answer.body, answer.headers["x-mixed-case"]) == (200, b"hello", "Yes")


async def test_nobody_there_is_unreachable_and_no_timeout():
    """A refused connection is said at once, with the address, and not as one that took too long."""
    port = free_port()
    error = await refusal(f"http://127.0.0.1:{port}/path?secret=1")
    assert error.code == "peer_unreachable"
    assert f"127.0.0.1:{port}" in error.message
    assert "secret" not in error.message


async def test_a_peer_that_hangs_is_a_timeout():
    """Past the client's time the code says so."""
    async with peer(None) as url:
        assert (await refusal(url, timeout=0.1)).code == "peer_timeout"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntruncated",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    ],
)
async def test_a_peer_that_talks_nonsense_is_unreachable(answer):
    """Whatever bytes come back, the caller gets one error of ours."""
    async with peer(answer) as url:
        assert (await refusal(url)).code == "peer_unreachable"


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/x", "not a url", "http://127.0.0.1:999999/"])
async def test_an_address_that_is_none_is_unreachable(url):
    """A wrong URL from a directory is an error of ours as well."""
    assert (await refusal(url)).code == "peer_unreachable"


async def test_an_answer_without_end_is_cut():
    """A peer cannot fill our memory: past the limit the answer is refused."""
    body = b"x" * 100_000
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + body
    async with peer(answer) as url:
        assert (await refusal(url, limit=50_000)).code == "answer_too_large"


async def test_a_redirect_is_not_followed():
    """A signed request goes to one address and to no other."""
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with peer(answer) as url, HttpClient() as http:
        assert (await http.send("GET", url)).status == 302


async def test_what_is_signed_is_what_is_sent():
    """The signed authority is the Host that goes out."""
    instance, heard = FakeInstance(SystemClock().now()), []
    async with peer(HELLO, heard) as url, HttpClient() as http:
        await http.send_signed("POST", url + "/a?b=c", b"{}", instance.credentials(PROCUREMENT), uuid7(), SystemClock())
    request = heard[0].lower()
    assert b"host: " + url.removeprefix("http://").encode() in request
    assert b'signature-input: exchange=("@method"' in request


@pytest.mark.parametrize(
    "target",
    [
        "/subjects/%3A.ctx%3As/versions?normalize=true&a=%3A&b=%7e&c=a+b&d=%20&e",
        "/subjects/a%2Fb%20c~%7E%c3%a9",
        "/%41?x=%2B%3D%26;",
    ],
)
async def test_a_path_goes_out_in_the_spelling_it_came_in(target):
    """A signature covers the spelling: nothing is escaped, or taken out of its escape, on the way."""
    heard = []
    async with peer(HELLO, heard) as url, HttpClient() as http:
        await http.send("GET", url + target)
    assert heard[0].startswith(f"GET {target} HTTP/1.1\r\n".encode())


async def test_a_host_of_ones_own_goes_out_alone():
    """Whoever passes a request on names the host that its sender named."""
    heard = []
    async with peer(HELLO, heard) as url, HttpClient() as http:
        await http.send("PUT", url, b"body", {"host": "registry.example:8081", "x-forward": "true"})
    assert b"host: registry.example:8081\r\n" in heard[0].lower()
    assert heard[0].lower().count(b"host:") == 1


async def test_an_unsigned_answer_is_not_believed():
    """Where an answer must be signed, one that is not is refused."""
    instance = FakeInstance(SystemClock().now())
    async with peer(HELLO) as url, HttpClient() as http:
        with pytest.raises(RequestRefused):
            await http.send_signed(
                "POST",
                url,
                b"{}",
                instance.credentials(PROCUREMENT),
                uuid7(),
                SystemClock(),
                answering=(TAX, instance.directory()),
            )
