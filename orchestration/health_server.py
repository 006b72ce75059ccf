"""``shoal health``: the verdict over HTTP, for load balancers, monitors and orchestrators.

A process of its own: the collector has to answer for itself whatever the pipeline does, and the
pipeline may run without a collector.
"""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orchestration.health import Health
from orchestration.health_facts import health
from orchestration.lake import Lake
from orchestration.settings import Settings

FRESH_SECONDS = 5.0


class HealthOfHome:
    """The verdict, looked up at most every few seconds however many ask."""

    def __init__(self, lake: Lake, values: Settings) -> None:
        self._lake = lake
        self._values = values
        self._lock = threading.Lock()
        self._known: tuple[float, Health] | None = None

    def __call__(self) -> Health:
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > FRESH_SECONDS:
                found = health(self._lake, self._values, datetime.now(UTC))
                self._known = (time.monotonic(), found)
            return self._known[1]


def health_server(lake: Lake, values: Settings) -> ThreadingHTTPServer:
    """A server that answers ``GET /health``: 200 unless failing, then 503; JSON either way.

    Raises
    ------
    OSError
        When the address is taken.
    """
    look = HealthOfHome(lake, values)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/health":
                self._answer(404, {"error": "there is GET /health only"})
                return
            found = look()
            self._answer(503 if found.verdict == "failing" else 200, found.to_dict())

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: monitors ask all day."""

    return ThreadingHTTPServer((values.health_host, values.health_port), Handler)
