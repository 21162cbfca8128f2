"""Processes as ops run them: `exchange …` in a home of its own, against the run's one Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.home import MEMBERS, Home


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """`make_home(bootstrap)` makes an instance; whatever still runs in it is killed at the end."""
    homes: list[Home] = []

    def make(bootstrap: str, *options: str) -> Home:
        home = Home(tmp_path / f"home-{len(homes)}", {"EXCHANGE_KAFKA_BOOTSTRAP": bootstrap})
        homes.append(home)
        made = home.run("init", str(MEMBERS), "--free-ports", "--data", str(tmp_path / "data"), *options)
        assert made.returncode == 0, made.stderr
        return home

    yield make
    for home in homes:
        for child in home.children:
            if child.poll() is None:
                child.kill()
            child.communicate()
