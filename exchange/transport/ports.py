"""TCP ports of this machine: free ones, and whether one is."""

from __future__ import annotations

import random
import socket

_HOST = "127.0.0.1"
# Below the range from which the kernel gives ports to outgoing connections: one of those could take it meanwhile.
_FIRST, _LAST = 15_000, 30_000


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    while True:
        port = random.randint(_FIRST, _LAST)  # noqa: S311  (not a secret)
        if why_taken(_HOST, port) is None:
            return port


def why_taken(host: str, port: int) -> str | None:
    """Why nothing can listen at this address now, in the system's words; None where something can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None
