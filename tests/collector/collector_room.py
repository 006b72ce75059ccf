"""A collector in processes of its own, and what tests ask of it."""

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.settings import PROJECT_ROOT

KEY = "test-write-key"
PAYLOADS = Path(__file__).with_name("payloads")
PATIENCE_SECONDS = 60.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class CollectorProcess:
    """``python -m collector`` on a home of its own; stays on one port when it is started again."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    supervisor: "subprocess.Popen[bytes] | None" = None

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def log(self) -> str:
        return (self.home / "collector.log").read_text()

    def start(self) -> None:
        """Start the supervisor, and wait until the collector answers."""
        self.launch()
        self.wait_until_up()

    def launch(self) -> "subprocess.Popen[bytes]":
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SHOAL_")}
        environment |= {
            "PYTHONPATH": str(PROJECT_ROOT),
            "SHOAL_HOME": str(self.home),
            "SHOAL_COLLECTOR_KEYS": KEY,
            "SHOAL_COLLECTOR_PORT": str(self.port),
            "SHOAL_COLLECTOR_ROLL_SECONDS": "0.2",
            "SHOAL_COLLECTOR_MIN_FREE_MB": "1",
            **self.settings,
        }
        with (self.home / "collector.log").open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "collector"],
                env=environment,
                cwd=PROJECT_ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self.supervisor

    def wait_until_up(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.health()
            except (OSError, http.client.HTTPException):
                assert self.supervisor is not None
                assert self.supervisor.poll() is None, self.log
                assert time.monotonic() < deadline, self.log
                time.sleep(POLL_SECONDS)

    def wait_until_gone(self) -> None:
        """Wait until a process whose supervisor died has drained and given the port back."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.health()
            except (OSError, http.client.HTTPException):
                return
            assert time.monotonic() < deadline, self.log
            time.sleep(POLL_SECONDS)

    def health(self) -> dict[str, Any]:
        content: dict[str, Any] = self.send("GET", "/health").body
        return content

    def post(
        self,
        path: str,
        body: Any,
        *,
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post JSON, or bytes as they are."""
        given = {"Content-Type": "application/json", **(headers or {})}
        if key is not None:
            given["Authorization"] = basic(key)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, content, given)

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: Any = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        given = {name.lower(): value for name, value in answer.getheaders()}
        is_json = given.get("content-type", "").startswith("application/json")
        return Answer(answer.status, given, json.loads(text) if is_json else text)

    def worker(self) -> int:
        """Process that answers; the supervisor's only child."""
        assert self.supervisor is not None
        children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := children.read_text().split()):
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)
        return int(found[0])

    def kill_worker(self) -> None:
        os.kill(self.worker(), signal.SIGKILL)

    def stop(self) -> int:
        """Let it drain and end; gives the exit code."""
        assert self.supervisor is not None
        self.supervisor.terminate()
        return self.supervisor.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """End whatever is left, whether or not it was asked to before."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            os.killpg(self.supervisor.pid, signal.SIGKILL)
            self.supervisor.wait(PATIENCE_SECONDS)

    def landed(self, entity: str = "events") -> list[dict[str, Any]]:
        """Every row in landing, file by file."""
        files = sorted(self.landing.glob(f"{entity}/arrived=*/*.jsonl"))
        return [json.loads(row) for file in files for row in file.read_bytes().splitlines()]


@contextmanager
def running(home: Path, **settings: str) -> Iterator[CollectorProcess]:
    collector = CollectorProcess(home, settings)
    try:
        collector.start()
        yield collector
    finally:
        collector.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def payload(name: str) -> list[dict[str, Any]]:
    """The requests of a library, as `payloads` has them."""
    requests: list[dict[str, Any]] = json.loads((PAYLOADS / f"{name}.json").read_text())["requests"]
    return requests


def post_as_recorded(collector: CollectorProcess, request: Mapping[str, Any]) -> Answer:
    """Send a request the way its library does: its headers, its encoding, its place of the key."""
    content = json.dumps(request["body"]).encode()
    headers = dict(request["headers"])
    if headers.get("content-encoding") == "gzip":
        content = gzip.compress(content)
    if request["auth"] == "basic":
        headers["authorization"] = basic(KEY)
    path = request["path"] + (f"?writeKey={KEY}" if request["auth"] == "query" else "")
    return collector.send("POST", path, content, headers)
