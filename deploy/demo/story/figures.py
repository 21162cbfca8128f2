"""Line 8: every process tells its figures, and the console shows the run's."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from deploy.demo.report import require
from deploy.demo.stage import Stage
from deploy.demo.story.capture import published_counts
from exchange.cli.supervisor import Supervisor
from exchange.transport.http import HttpClient


async def scrape_everything(stage: Stage) -> dict[str, Any]:
    """One scrape of each process; the console's page has the same counters."""
    urls = Supervisor(stage.home).urls()
    scraped = {}
    for name, url in urls.items():
        text = await stage.scrape(url)
        scraped[name] = sum(1 for line in text.splitlines() if line.startswith("exchange_"))
        require("python_info" in text, f"{name} serves no metrics")
    published = await published_counts(stage)
    page, shown = await _console(urls["console"], published)
    for topic, count in sorted(published.items()):
        require(topic in page, f"the console's page does not show {topic}")
        stage.tell(f"{topic}: {count:,} published, and so says the console")
    return {"processes": scraped, "published": published, "console": shown}


async def _console(url: str, published: dict[str, int]) -> tuple[str, dict[str, int]]:
    """The page, once its counters are those of the processes."""
    deadline = time.monotonic() + 20.0
    async with HttpClient(timeout=5.0) as http:
        while True:
            model = json.loads((await http.send("GET", f"{url}/api/throughput.json")).body)
            shown = shown_counts(model)
            if {topic: shown.get(topic) for topic in published} == published:
                return (await http.send("GET", f"{url}/")).body.decode(), shown
            require(time.monotonic() < deadline, f"the console shows {shown}, the processes {published}")
            await asyncio.sleep(0.5)


def shown_counts(model: dict[str, Any]) -> dict[str, int]:
    """Events published by topic, as the console's model has them."""
    return {row["topic"]: int(row["published"]["total"]) for row in model["topics"]}
