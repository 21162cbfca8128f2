"""A Kafka node (KRaft: broker and controller in one JVM), started from the jars of `deploy/kafka/pom.xml`.

    async with KafkaNode(libs=..., data=...) as node:
        node.bootstrap                      # "127.0.0.1:49152"

A data directory is formatted once and then kept: what was committed is there after any restart.
"""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from exchange.errors import ExchangeError, ProcessError, SettingsError
from exchange.transport.kafka.admin import KafkaAdmin
from exchange.transport.kafka.properties import HOST, Quorum, advertised, server_properties
from exchange.transport.ports import free_port, why_taken

_START_SECONDS = 120.0
_POLL_SECONDS = 0.1
_STOP_SECONDS = 20.0


class KafkaNode:
    """One Kafka for one machine, or one of a `quorum`. `libs` holds the jars, `data` its state; port 0: a free one.

    With `advertised_port` clients are sent there, where something forwards to `port`; `direct` goes past it.
    """

    def __init__(
        self,
        *,
        libs: Path,
        data: Path,
        port: int = 0,
        advertised_port: int | None = None,
        heap: str = "512m",
        log: Path | None = None,
        java: str = "java",
        node_id: int = 1,
        quorum: Quorum | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._libs = libs
        self._data = data
        self._heap = heap
        self._log = log or data / "kafka.log"
        self._java = java
        self._node_id = node_id
        self._quorum = quorum
        self._settings = dict(settings or {})  # Kafka's own names, over ours
        self.port = port or free_port()
        self._advertised_port = advertised_port
        self._direct_port = self.port if advertised_port is None else free_port()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address clients are given, `127.0.0.1:PORT`."""
        return f"{HOST}:{self._advertised_port or self.port}"

    @property
    def direct(self) -> str:
        """The address that the broker itself uses, whatever stands before the one that clients are given."""
        return f"{HOST}:{self._direct_port}"

    @property
    def pid(self) -> int | None:
        """The process id of the running node (also of one that another process started), or None."""
        child = self._child
        if child is not None and child.poll() is None:
            return child.pid  # our own, whatever happened to the file
        return _running_pid(self._pid_file)

    async def __aenter__(self) -> KafkaNode:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the node, detached from this process, and wait until it answers; nothing to do if it runs already.

        Raises SettingsError (no java, no jars, port taken) or ProcessError (it stopped or never answered).
        """
        if self.pid is not None:
            await self._wait_ready()
            return
        java = self._require_java()
        self._require_jars()
        _require_free(self.port)
        self._data.mkdir(parents=True, exist_ok=True)
        self._write_properties()
        if not self._formatted.exists():
            await asyncio.to_thread(self._format, java)
        self._spawn(java)
        await self._wait_ready()

    async def stop(self) -> None:
        """Ask the node to stop (SIGTERM), wait, and kill it if it does not; safe to call on a stopped node."""
        pid = self.pid
        if pid is not None:
            _signal(pid, signal.SIGTERM)
            if not await self._wait_gone(pid, _STOP_SECONDS):
                _signal(pid, signal.SIGKILL)
                await self._wait_gone(pid, _STOP_SECONDS)
        self._reap()
        self._pid_file.unlink(missing_ok=True)

    async def kill(self) -> None:
        """End the node at once (SIGKILL), as a power cut would."""
        pid = self.pid
        if pid is not None:
            _signal(pid, signal.SIGKILL)
            await self._wait_gone(pid, _STOP_SECONDS)
        self._pid_file.unlink(missing_ok=True)

    def pause(self) -> None:
        """Let the node stand still (SIGSTOP), its connections open: a stalled machine. `resume` lets it go on."""
        pid = self.pid
        if pid is not None:
            _signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused node go on (SIGCONT)."""
        pid = self.pid
        if pid is not None:
            _signal(pid, signal.SIGCONT)

    @property
    def _pid_file(self) -> Path:
        return self._data / "kafka.pid"

    @property
    def _formatted(self) -> Path:
        return self._data / "formatted"

    @property
    def _properties(self) -> Path:
        return self._data / "server.properties"

    def _require_java(self) -> str:
        found = shutil.which(self._java)
        if found is None:
            raise SettingsError("java was not found: install Java 17 or newer (package openjdk-17-jre-headless)")
        return found

    def _require_jars(self) -> None:
        if not any(self._libs.glob("kafka_2*.jar")):
            raise SettingsError(f"{self._libs}: Kafka's jars are not there; `make kafka` fetches them")

    def _format(self, java: str) -> None:
        # A crash in here leaves no marker, so the next start formats again: nothing was stored before the marker.
        cluster = self._quorum.cluster_id if self._quorum else new_cluster_id()
        shutil.rmtree(self._data / "log", ignore_errors=True)
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)]
        done = subprocess.run(  # noqa: S603  (our own java, our own arguments)
            [java, "-cp", f"{self._libs}/*", *tool], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise ProcessError(f"{self._data}: Kafka could not format its storage: {_last_line(done)}")
        self._formatted.touch()

    def _spawn(self, java: str) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [java, f"-Xmx{self._heap}", "-Xms128m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
        command += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command += ["-cp", f"{self._libs}/*", "kafka.Kafka", str(self._properties)]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  (our own java, our own arguments)
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._pid_file.write_text(str(self._child.pid))

    async def _wait_ready(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                while not await _answers(self.direct):
                    self._require_alive()
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            await self.stop()
            raise ProcessError(
                f"Kafka at {self.bootstrap} did not answer within {_START_SECONDS:.0f} s; see {self._log}"
            ) from None

    def _require_alive(self) -> None:
        self._reap()
        if self.pid is None:
            self._pid_file.unlink(missing_ok=True)
            raise ProcessError(f"Kafka stopped while starting; see {self._log} (memory, disk, port {self.port}?)")

    async def _wait_gone(self, pid: int, seconds: float) -> bool:
        for _ in range(int(seconds / _POLL_SECONDS)):
            if self._is_gone(pid):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        return False

    def _is_gone(self, pid: int) -> bool:
        if self._child is not None and self._child.pid == pid:
            return self._child.poll() is not None
        return not _is_alive(pid)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.poll()

    def _write_properties(self) -> None:
        quorum = self._quorum or Quorum(new_cluster_id(), {self._node_id: free_port()})
        settings = server_properties(self._node_id, quorum, self.port, self._data / "log")
        if self._advertised_port is not None:
            settings |= advertised(self._advertised_port, self._direct_port, settings["listeners"])
        settings |= self._settings
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def new_cluster_id() -> str:
    """An id for a new cluster, as Kafka's storage tool takes it."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=").replace("-", "A")


def _require_free(port: int) -> None:
    reason = why_taken(HOST, port)
    if reason is not None:
        raise SettingsError(f"port {port} is taken on this machine ({reason}): stop what listens there, or set another")


async def _answers(bootstrap: str) -> bool:
    host, _, port = bootstrap.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        async with KafkaAdmin(bootstrap, timeout=5.0) as admin:
            return await admin.broker_count() > 0
    except (OSError, ExchangeError):
        return False


def _running_pid(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_alive(pid) and _is_kafka(pid) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, IndexError):
        return False


def _is_kafka(pid: int) -> bool:
    """Whether the process is a Kafka: a pid file outlives a reboot, its number may be anybody's by then."""
    try:
        return b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
