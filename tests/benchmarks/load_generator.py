"""Requests at a steady rate over kept-alive connections.

Open loop: a request is due at its time whether or not the last one was answered, and its latency
counts from then, so that a server that stands still is charged for all who wait meanwhile.
"""

import asyncio
import json
import sys
import time
from typing import Annotated, cast

import numpy as np
import typer
import uvloop

BODY = {
    "type": "track",
    "event": "Product Viewed",
    "userId": None,
    "properties": {"product_id": "p7", "name": "Monopoly", "price": 18.99, "currency": "EUR"},
    "context": {
        "page": {"path": "/games/monopoly", "url": "https://shop.example/games/monopoly"},
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0 Safari/537.36",
        "locale": "en-US",
        "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
    },
}


class Client(asyncio.Protocol):
    """One connection; answers come in the order of its requests."""

    def __init__(self) -> None:
        self.due: list[float] = []
        self.latencies: list[float] = []
        self.failures = 0
        self.lost = 0
        self.transport: asyncio.Transport | None = None
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, problem: Exception | None) -> None:
        self.transport = None

    def send(self, request: bytes, due: float) -> None:
        """Send a request that was due at an instant of the monotonic clock."""
        if self.transport is None:
            self.lost += 1
            return
        self.due.append(due)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head = self._rest[:end]
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._rest) < end + 4 + length:
                return
            self._rest = self._rest[end + 4 + length :]
            self.latencies.append(time.monotonic() - self.due.pop(0))
            self.failures += not head.startswith(b"HTTP/1.1 200")


def request_of(number: int, key: str, timestamp: str) -> bytes:
    """One call with an identifier of its own."""
    body = {
        **BODY,
        "anonymousId": f"anonymous-{number % 10_000}",
        "messageId": f"bench-{timestamp}-{number}",
        "timestamp": timestamp,
        "writeKey": key,
    }
    text = json.dumps(body).encode()
    return (
        b"POST /v1/t HTTP/1.1\r\nHost: collector\r\nContent-Type: text/plain\r\n"
        b"Content-Length: " + str(len(text)).encode() + b"\r\n\r\n" + text
    )


async def drive(
    port: int, key: str, rate: float, seconds: float, connections: int
) -> dict[str, float]:
    """Send ``rate`` requests a second, spread over the connections in turn."""
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(connections)
    ]
    count = int(rate * seconds)
    timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    requests = [request_of(number, key, timestamp) for number in range(count)]
    cpu, started = time.process_time(), time.monotonic()
    for number, request in enumerate(requests):
        due = started + number / rate
        while (early := due - time.monotonic()) > 0:
            await asyncio.sleep(early)
        clients[number % connections].send(request, due)
    deadline = time.monotonic() + 10
    while any(client.due for client in clients) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    elapsed = time.monotonic() - started
    latencies = np.array([latency for client in clients for latency in client.latencies])
    return {
        "sent": float(count),
        "answered": float(len(latencies)),
        "errors": float(count - len(latencies) + sum(client.failures for client in clients)),
        "rate": len(latencies) / elapsed,
        "p50": float(np.percentile(latencies, 50)),
        "p99": float(np.percentile(latencies, 99)),
        "p999": float(np.percentile(latencies, 99.9)),
        "max": float(latencies.max()),
        "cpu_seconds": time.process_time() - cpu,
    }


def main(
    port: Annotated[int, typer.Argument()],
    key: Annotated[str, typer.Argument()],
    rate: float = 2_000,
    seconds: float = 20,
    connections: int = 128,
) -> None:
    """Print what was measured as JSON."""
    json.dump(uvloop.run(drive(port, key, rate, seconds, connections)), sys.stdout)


if __name__ == "__main__":
    typer.run(main)
