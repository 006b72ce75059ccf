"""The push entry: single events at a steady rate, each answered once it is on disk.

``python -m tests.benchmarks.push_entry`` measures it alone.
"""

import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from orchestration.settings import PROJECT_ROOT
from tests.benchmarks.figures import Figure, load, print_table
from tests.benchmarks.home import BenchFailed, BenchHome, end_group, python, tail

RATE, SECONDS, WARM_UP_SECONDS = 2_000.0, 30.0, 3.0
TARGET_P99 = 0.050
PATIENCE_SECONDS, POLL_SECONDS = 20.0, 0.05
TICKS = os.sysconf("SC_CLK_TCK")
LOG = "collector"


@dataclass(frozen=True)
class Running:
    """A collector under measurement."""

    port: int
    key: str
    process: "subprocess.Popen[bytes]"

    def health(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
            content: dict[str, Any] = json.load(answer)
            return content

    def cpu_seconds(self) -> float:
        """Processor time of the collector and its supervisor so far."""
        group = os.getpgid(self.process.pid)
        ticks = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == group:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS

    def drive(self, rate: float, seconds: float) -> dict[str, float]:
        """Send events from a process of its own."""
        arguments = ["-m", "tests.benchmarks.load_generator", str(self.port), self.key]
        arguments += ["--rate", str(rate), "--seconds", str(seconds)]
        output = subprocess.run(
            python(*arguments), cwd=PROJECT_ROOT, capture_output=True, check=False, text=True
        )
        if output.returncode != 0:
            raise BenchFailed(f"the load generator failed:\n{output.stderr[-2_000:]}")
        measured: dict[str, float] = json.loads(output.stdout)
        return measured


@contextmanager
def collecting(bench: BenchHome) -> Iterator[Running]:
    """Run a collector in a home, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_hex(16)  # an argument must not begin with a dash
    log = bench.log(LOG)
    own = {
        "SHOAL_COLLECTOR_KEYS": key,
        "SHOAL_COLLECTOR_HOST": "127.0.0.1",
        "SHOAL_COLLECTOR_PORT": str(port),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            python("-m", "collector"),
            env={**bench.environment(), **own},
            cwd=PROJECT_ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Running(port, key, process)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                running.health()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise BenchFailed(f"no collector, {log}:\n{tail(log)}") from None
                time.sleep(POLL_SECONDS)
        yield running
    finally:
        end_group(process)


def measure(bench: BenchHome, rate: float = RATE, seconds: float = SECONDS) -> list[Figure]:
    """Drive a collector in a home of its own, then hold its answers against landing."""
    bench = BenchHome(bench.root / "collector", bench.threads)
    bench.clear()
    with collecting(bench) as running:
        running.drive(rate / 4, WARM_UP_SECONDS)
        busy, cpu, before = load(), running.cpu_seconds(), running.health()
        measured = running.drive(rate, seconds)
        cpu, after = running.cpu_seconds() - cpu, running.health()
    commits = after["commits"]["commits"] - before["commits"]["commits"]
    writing = after["commits"]["total_seconds"] - before["commits"]["total_seconds"]
    # the collector has drained by now: what it answered has to be in landing
    landed = sum(
        path.read_bytes().count(b"\n")
        for path in bench.values().landing.glob("events/*/collector-*.jsonl")
    )
    accepted = after["counts"]["accepted"]
    if landed < accepted:
        raise BenchFailed(f"{accepted:,.0f} events answered, {landed:,} in landing")
    return [
        Figure("collector.rate", measured["rate"], "requests/s"),
        Figure("collector.p50", measured["p50"], "s"),
        Figure("collector.p99", measured["p99"], "s", TARGET_P99),
        Figure("collector.p999", measured["p999"], "s"),
        Figure("collector.max", measured["max"], "s"),
        Figure("collector.errors", measured["errors"], "requests", 0),
        Figure("collector.requests_per_sync", measured["answered"] / max(commits, 1), "requests"),
        Figure("collector.sync", writing / max(commits, 1), "s"),
        Figure("collector.cpu", cpu / seconds, "cores"),
        Figure("collector.load_generator_cpu", measured["cpu_seconds"] / seconds, "cores"),
        Figure("collector.load_before", busy, "processes"),
    ]


def main(rate: float = RATE, seconds: float = SECONDS) -> None:
    """Measure the collector alone, in the benchmark's home."""
    home = BenchHome.of_deployment()
    with home.alone():
        print_table(measure(home, rate, seconds), Console(highlight=False, soft_wrap=True))


if __name__ == "__main__":
    typer.run(main)
