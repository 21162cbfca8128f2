"""Requests byte by byte: what no client library would send as it stands."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass(frozen=True)
class Reply:
    """What came back; names of headers in lower case."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        """The body, read."""
        return json.loads(self.body)

    @property
    def error(self):
        """Status and number of a refusal."""
        return self.status, self.json["error_code"]


async def ask(url, method, target, body=None, **headers):
    """Send a request to a server: `target` goes out as it is, `body` as JSON where it is not bytes or None.

    A header that is None is not sent.
    """
    parts = urlsplit(url)
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    said = {"host": parts.netloc, "connection": "close", "content-length": len(content)}
    said |= {"content-type": MEDIA_TYPE} if content else {}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    fields = (f"{name}: {value}" for name, value in said.items() if value is not None)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write("\r\n".join((f"{method} {target} HTTP/1.1", *fields)).encode() + b"\r\n\r\n" + content)
        head, _, rest = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    status, *fields = head.decode("latin-1").split("\r\n")
    pairs = (field.partition(":") for field in fields)
    return Reply(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, rest)
