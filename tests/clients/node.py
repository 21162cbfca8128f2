"""The clients of Node.js, in a process of their own: each call is a line of JSON, as is its result."""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / ".cache" / "node"


class NodeError(Exception):
    """What a call in Node.js failed with: `name`, `message`, and `status` and `code` where the client gives them."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.name = error["name"]
        self.status = error.get("status")
        self.code = error.get("code")


class Node:
    """`call(client, method, *arguments)`; `client` is made once for each set of settings."""

    def __enter__(self):
        command = ["node", HERE / "driver.mjs", MODULES]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def call(self, method, *arguments):
        """The result; raises NodeError."""
        self._process.stdin.write(json.dumps([method, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise NodeError(answer["error"])
        return answer.get("result")
