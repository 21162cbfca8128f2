"""`exchange audit` as a process of its own, so that a test can end it at any moment."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from exchange.audit import AuditContext, AuditLogService
from exchange.clock import SystemClock
from exchange.settings import AuditSettings

from .world import LOG_KEY, World


def start(bootstrap: str, member: str, folder: Path, listen: str, now: datetime) -> subprocess.Popen[bytes]:
    """The process of the log of `member`'s gateways."""
    arguments = [bootstrap, member, str(folder), listen, now.isoformat()]
    root = Path(__file__).parents[2]
    return subprocess.Popen([sys.executable, "-m", "tests.audit.log_process", *arguments], cwd=root)


def context(bootstrap: str, world: World, folder: Path, listen: str) -> AuditContext:
    """What a service of this world is given; checkpoints come quickly."""
    settings = AuditSettings(listen=listen, checkpoint_seconds=0.05)
    return AuditContext(bootstrap, world.directory, LOG_KEY, folder, SystemClock(), settings)


async def main(bootstrap: str, member: str, folder: str, listen: str, now: str) -> None:
    """Run until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    world = World(member, now=datetime.fromisoformat(now))
    async with AuditLogService(context(bootstrap, world, Path(folder), listen)) as service:
        await service.run_until(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
