"""Apache Avro's Java library as an oracle: a process that answers questions about schemas, a line of JSON each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

LIBS = Path(os.environ.get("EXCHANGE_AVRO_LIBS", Path(__file__).parents[2] / ".cache" / "avro-1.12.1"))
"""Avro's jars, and the oracle's class: what `make avro` makes."""


class JavaAvro:
    """Asks one process; made once for the run."""

    def __init__(self) -> None:
        """Start it; `make avro` comes first."""
        assert (LIBS / "Oracle.class").exists(), f"{LIBS} holds no Oracle.class: run `make avro` first"
        command = [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xss16m",
            "-cp",
            f"{LIBS}/*:{LIBS}",
            "Oracle",
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def parse(self, text, referenced=(), validate_defaults=True):
        """`text` (what is referenced by name), `resolved` (everything written out), or `error`."""
        return self._ask(schema=text, referenced=list(referenced), validateDefaults=validate_defaults)

    def check(self, reader, writer, referenced=()):
        """`incompatibilities`, or `error`."""
        return self._ask(schema=reader, writer=writer, referenced=list(referenced), validateDefaults=False)

    def _ask(self, **question):
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())
