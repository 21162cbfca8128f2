"""An instance's home as ops have one: `exchange …` commands in it, and processes that run."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exchange.cli.instance import Instance
from exchange.errors import PeerUnreachable
from exchange.transport.http import HttpClient

ROOT = Path(__file__).parents[2]
MEMBERS = ROOT / "deploy/demo/members.yaml"


@dataclass
class Home:
    """An instance's home, and what runs in it."""

    path: Path
    environment: dict[str, str]
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def instance(self) -> Instance:
        """The instance as its processes see it."""
        return Instance(self.path, environment={**os.environ, **self.environment})

    def url(self, name: str) -> str:
        """Where a process of the settings answers."""
        return f"http://{getattr(self.instance.settings, name).listen}"

    def start(self, *arguments: str, stdin: str | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start `exchange --home … <arguments>`; it ends with the test at the latest."""
        child = subprocess.Popen(
            [sys.executable, "-m", "exchange.cli", "--home", str(self.path), *arguments],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment, **environment},
            cwd=ROOT,
        )
        self.children.append(child)
        if stdin is not None and child.stdin is not None:
            child.stdin.write(f"{stdin}\n")
            child.stdin.flush()
        return child

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, at most 40 s."""
        child = self.start(*arguments, **environment)
        out, err = child.communicate(timeout=40)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def ready(self, child: subprocess.Popen[str], url: str) -> None:
        """Wait until it says that it is ready; fails with what it printed where it ends instead."""
        asyncio.run(_ready(child, url))

    def stop(self, child: subprocess.Popen[str], seconds: float = 10.0) -> tuple[int, str]:
        """SIGTERM; its exit code and stderr. Raises TimeoutExpired where it takes longer."""
        child.send_signal(signal.SIGTERM)
        _, err = child.communicate(timeout=seconds)
        return child.returncode, err


async def _ready(child: subprocess.Popen[str], url: str) -> None:
    async with HttpClient(timeout=2.0) as http, asyncio.timeout(40):
        while True:
            if child.poll() is not None:
                pytest.fail(f"it ended with {child.returncode}: {child.stderr.read() if child.stderr else ''}")
            try:
                if (await http.send("GET", f"{url}/readyz")).status == 200:
                    return
            except PeerUnreachable:
                pass
            await asyncio.sleep(0.05)
