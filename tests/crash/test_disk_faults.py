"""A disk that is full, or read-only: a clear word, nothing half, and work goes on afterwards."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from collector.journal import Journals
from orchestration.conservation import assert_conserved
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.land import LandError, LandReport, land_source
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT
from orchestration.waiting import waiting_work
from tests.collector.collector_room import running
from tests.crash.homes import settings_of, write_export, write_history
from tests.crash.small_disk import SmallDisk, small_disk

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WORDS = r"(?i)space|disk|read-only"
FAULTS = ["full", "read-only"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", megabytes=48) as made:
        yield made


def broken(disk: SmallDisk, fault: str, left_bytes: int = 8_192) -> AbstractContextManager[None]:
    return disk.full(left_bytes) if fault == "full" else disk.read_only()


@pytest.mark.parametrize("fault", FAULTS)
def test_landing(disk: SmallDisk, tmp_path: Path, fault: str) -> None:
    export = tmp_path / "export" / "online_retail.csv"
    write_export(export, seed=1, lines=4_000)
    landing = disk.folder / "landing"

    def land() -> LandReport:
        return land_source("online_retail", [export], PROJECT_ROOT / "sources", landing, NOW)

    with broken(disk, fault), pytest.raises(LandError, match=WORDS):
        land()
    left = [path for path in landing.rglob("*") if path.is_file()]
    for path in left:  # what is there is whole
        assert duckdb.sql(f"select count(*) > 0 from read_parquet('{path}')").fetchone() == (True,)
    report = land()
    assert sorted(path.parent.parent.name for path in landing.rglob("*.parquet")) == [
        "customers",
        "order_lines",
        "orders",
        "products",
    ]
    assert len(report.outputs) + len(left) == 4


def test_a_lake_that_stays_open_on_a_disk_that_fills(disk: SmallDisk) -> None:
    """A process that goes on, as the live worker does."""
    home = disk.folder / "home"
    values = settings_of(home)
    lake = Lake.from_settings(values)
    with lake.writer("test: set up") as connection:
        create_tables(connection)
    write_history(home, 1, 0, 20_000, "history")

    def ingest() -> None:
        with lake.writer("test: ingest") as connection:
            files = waiting_work(connection, values, {}).files
            hour = files[0].partition_key
            ingest_batch(connection, files, hour, "run", datetime.now(UTC), "key")

    for left_bytes in (4_096, 300_000):
        with disk.full(left_bytes), pytest.raises(duckdb.Error, match=WORDS):
            ingest()
        outcome = assert_conserved(lake, values.landing)
        assert outcome.totals["received"] == 0
    ingest()
    outcome = assert_conserved(lake, values.landing)
    assert outcome.totals["received"] > 20_000
    with lake.reader(latest=True) as connection:
        assert waiting_work(connection, values, {}).files == ()


@pytest.mark.parametrize("fault", FAULTS)
def test_the_journals_of_a_collector(disk: SmallDisk, fault: str) -> None:
    home = disk.folder

    def row(number: int, size: int = 10) -> bytes:
        return json.dumps({"event_id": f"e{number}", "page": "x" * size}).encode()

    journals = Journals(home / "journal", home / "landing", "a", 60, 1 << 30)
    journals.append({"events": [row(1)]})
    journals.roll(everything=True)
    with broken(disk, fault), pytest.raises(OSError, match=WORDS):
        journals.append({"events": [row(2, 100_000)]})
    journals.append({"events": [row(3)]})
    journals.roll(everything=True)
    landed = [
        json.loads(line)["event_id"]
        for path in sorted(home.glob("landing/events/*/*"))
        for line in path.read_bytes().splitlines()
    ]
    assert landed == ["e1", "e3"]


@pytest.mark.slow
def test_a_collector_goes_on_when_there_is_room_again(disk: SmallDisk) -> None:
    def event(number: int) -> dict[str, object]:
        return {
            "event_id": f"e{number}",
            "occurred_at": "2024-01-01",
            "event_type": "x",
            "page": "x" * 4_000,
        }

    accepted: list[str] = []
    with running(disk.folder / "home", SHOAL_COLLECTOR_MIN_FREE_MB="0") as collector:
        refused = 0
        with disk.full(200_000):
            for number in range(200):
                status = collector.post("/v1/events", event(number)).status
                assert status in (200, 503)
                refused += status == 503
                accepted += [f"e{number}"] if status == 200 else []
        assert refused > 50
        answer = collector.post("/v1/events", event(1_000))
        assert answer.status == 200
        accepted.append("e1000")
        assert collector.stop() == 0
        assert sorted(row["event_id"] for row in collector.landed()) == sorted(accepted)
