"""An adapter as a process of its own: `python -m tests.connect.adapter_process FILE`; SIGTERM ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from exchange.connect import AdapterRuntime, load_adapter
from tests.connect.kafka_world import load_context


async def main(file: Path) -> None:
    """Run until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runtime = AdapterRuntime(load_adapter(file, {}), root=file.parent, context=load_context(file.parent))
    await runtime.run(stop)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
