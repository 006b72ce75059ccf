"""What every test shares: the threading settings of the product, and the count of kills."""

import json
from collections import Counter

import pytest

import orchestration  # noqa: F401  (sets the environment of the numeric libraries)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many processes were killed, and where the kills fell."""
    places: dict[str, Counter[str]] = {}
    slowest: dict[str, float] = {}
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "kills":
                scenario, found, seconds = json.loads(value)
                places.setdefault(scenario, Counter()).update(found)
                slowest[scenario] = max(slowest.get(scenario, 0.0), seconds)
    if not places:
        return
    total = sum(counter.total() for counter in places.values())
    terminalreporter.section(f"{total} kills, nothing lost, nothing twice")
    for scenario, counter in places.items():
        terminalreporter.write_line(
            f"{scenario}: {counter.total()}, work taken up within {slowest[scenario]:.2f} s"
        )
        for place, kills in counter.most_common():
            terminalreporter.write_line(f"    {kills:4} {place}")
