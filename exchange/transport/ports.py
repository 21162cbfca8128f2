"""Free TCP ports of this machine."""

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
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return port
