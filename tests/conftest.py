"""What every test shares: threading settings, quick attachments, the order, the count of kills."""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

import orchestration  # noqa: F401  (sets the environment of the numeric libraries)

FIRST = (
    "integration/test_main_job.py",
    "dbt/test_incremental.py",
    "crash/test_seeded_kills.py",
    "dbt/test_conservation.py",
    "dbt/test_whole_project.py",
    "dbt/test_identity.py",
    "ml/test_matching.py",
    "orchestration/test_backup.py",
    "ingestion/test_exactly_once.py",
    "integration/test_live_worker.py",
)
"""The files that take longest, so that none is left for the end. The very first makes the demo; the
others that look at it come when that is there, and those that change it (`alone`) far apart."""

_connect = duckdb.connect


def connect_without_verifying(
    database: str = ":memory:", read_only: bool = False, config: Mapping[str, object] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database that does not verify the signatures of the extensions it loads.

    DuckDB reads 70 MB for it, .3 s for each lake that a test opens. Processes that tests start
    verify them as ever.
    """
    return _connect(database, read_only, {**(config or {}), "allow_unsigned_extensions": "true"})


duckdb.connect = connect_without_verifying


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with `FIRST`; files stay whole, and keep their order else."""
    rank = {name: place for place, name in enumerate(FIRST)}

    def place(item: pytest.Item) -> int:
        return rank.get("/".join(item.path.parts[-2:]), len(rank))

    items.sort(key=place)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every process of this test run sees."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


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
