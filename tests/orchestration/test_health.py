"""A verdict has a reason, and a home with nothing to do is well."""

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.health import Backlog, Collecting, Disk, Facts, Working, judge
from orchestration.health_facts import gather, health
from orchestration.health_server import health_server
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.live.heartbeat import (
    Heartbeat,
    heartbeat_path,
    read_heartbeat,
    write_heartbeat,
)
from orchestration.settings import Settings, settings
from tests.orchestration.lake_history import add_batch

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUIET = Facts(
    lease="free",
    disk=Disk(free=50_000_000_000, total=100_000_000_000, used={}),
    collector=Collecting(False, 0, 0, None),
    live=None,
    backlog=Backlog(0, 0, None, 0),
)
WORKING = Working(7, True, 1.0, 3, 3, 0.5, "abc")


def waiting(minutes: float) -> Facts:
    return replace(QUIET, backlog=Backlog(1, 10, minutes * 60, 0))


def with_free(megabytes: float) -> Facts:
    return replace(QUIET, disk=Disk(int(megabytes * 1e6), 10**12, {}))


@pytest.mark.parametrize(
    ("facts", "level", "why"),
    [
        (QUIET, "healthy", ""),
        (waiting(14), "healthy", ""),
        (waiting(16), "degraded", "oldest landed file waits 16 min"),
        (waiting(61), "failing", "oldest landed file waits 61 min"),
        (replace(QUIET, unpublished_seconds=600), "healthy", ""),
        (replace(QUIET, unpublished_seconds=1_200), "degraded", "not published for 20 min"),
        (replace(QUIET, unpublished_seconds=7_200), "failing", "not published for 120 min"),
        (with_free(2_001), "healthy", ""),
        (with_free(1_999), "degraded", "1,999 MB free"),
        (with_free(999), "failing", "999 MB free on the disk, at least 1,000"),
        (replace(QUIET, problem="no lake"), "failing", "no lake"),
        (replace(QUIET, failed_runs={"daily_job": 2}), "degraded", "daily_job failed 2 times"),
        (replace(QUIET, live=WORKING), "healthy", ""),
        (
            replace(QUIET, live=replace(WORKING, is_alive=False, seconds_ago=300)),
            "degraded",
            "live worker gave no sign of life for 5 min",
        ),
        (replace(QUIET, collector=Collecting(True, 2, 9, 1.0)), "healthy", ""),
        (
            replace(QUIET, collector=Collecting(False, 2, 9, 1.0)),
            "degraded",
            "2 journals of a collector that does not run",
        ),
    ],
)
def test_the_verdict_follows_the_thresholds(
    values: Settings, facts: Facts, level: str, why: str
) -> None:
    found = judge(facts, values)
    assert found.verdict == level
    assert why in str(found)
    assert found.exit_code == {"healthy": 0, "degraded": 1, "failing": 2}[level]


def test_the_worst_reason_comes_first(values: Settings) -> None:
    found = judge(replace(with_free(1_500), problem="no lake"), values)
    assert (found.verdict, found.reasons[0]) == ("failing", "no lake")
    assert len(found.reasons) == 2


def test_backups_count_only_where_somebody_asks_for_them(values: Settings) -> None:
    asked = values.model_copy(update={"health_backup_hours": 24})
    assert judge(QUIET, values).verdict == "healthy"
    assert judge(QUIET, asked).verdict == "degraded"
    assert judge(replace(QUIET, backup_seconds=3_600), asked).verdict == "healthy"
    assert judge(replace(QUIET, backup_seconds=90_000), asked).verdict == "degraded"


def test_facts_are_those_of_the_home(values: Settings, lake: Lake) -> None:
    add_batch(lake, 1)
    with lake.writer("a batch half done") as connection:
        connection.execute(
            "insert into ops.batches values (2, '2026-03-01T11', 'r', 1, 1, 0, 0, ?, null, null)",
            [NOW.replace(tzinfo=None) - timedelta(minutes=30)],
        )
    file = values.landing / "events" / "arrived=2026-03-01T11" / "late.csv"
    file.parent.mkdir(parents=True)
    file.write_text("event_id\n1\n")
    arrived = (NOW - timedelta(minutes=20)).timestamp()
    os.utime(file, (arrived, arrived))
    with lake.lease("a long batch"):
        facts = gather(lake, values, NOW)
    assert "a long batch" in facts.lease
    assert facts.backlog == Backlog(1, 11, 1200.0, 0)
    assert (facts.batches, facts.unpublished, facts.unpublished_seconds) == (2, 1, 1800.0)
    assert facts.disk.used["lake"] > 0
    assert facts.disk.used["landing"] == 11
    assert health(lake, values, NOW).verdict == "degraded"


def test_lag_is_from_arrival_to_publication(values: Settings, lake: Lake) -> None:
    """A file that was brought with an old time has arrived in its arrival hour."""
    hour = datetime(2026, 1, 1)
    for batch_id, modified in ((1, hour + timedelta(seconds=50)), (2, datetime(2020, 1, 1))):
        add_batch(lake, batch_id)  # published at the full hour
        with lake.writer("ledger") as connection:
            connection.execute(
                "insert into ops.landed_files values "
                "('h', 'f', 'events', '2026-01-01T00', 1, ?, 'csv', 1, 1, 0, 0, [], ?, ?)",
                [int(modified.replace(tzinfo=UTC).timestamp() * 1e9), batch_id, hour],
            )
            connection.execute(
                "update ops.batches set published_at = ? where batch_id = ?",
                [hour + timedelta(seconds=60), batch_id],
            )
    lag = gather(lake, values, NOW).lag
    assert lag is not None
    assert (lag.last, lag.p50, lag.batches) == (60.0, 35.0, 2)


def test_a_live_worker_is_alive_until_it_falls_silent(values: Settings, lake: Lake) -> None:
    assert gather(lake, values, NOW).live is None
    write_heartbeat(values, Heartbeat("r", 7, NOW.isoformat(), 3, 12, 0.5, "abc"))
    working = gather(lake, values, NOW + timedelta(seconds=30)).live
    assert working == Working(7, True, 30.0, 3, 12, 0.5, "abc")
    silent = gather(lake, values, NOW + timedelta(minutes=5)).live
    assert silent is not None
    assert not silent.is_alive
    leaving = Heartbeat("r", 7, NOW.isoformat(), 3, 12, 0.5, "abc", leaving="worked for 2 hours")
    write_heartbeat(values, leaving)
    assert gather(lake, values, NOW + timedelta(minutes=5)).live is None
    heartbeat_path(values).unlink()
    assert gather(lake, values, NOW).live is None


def test_a_heartbeat_may_say_more_and_may_be_torn(values: Settings) -> None:
    told = asdict(Heartbeat("r", 7, NOW.isoformat(), None, 0, None, "abc"))
    path = heartbeat_path(values)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({**told, "more": 1}))
    assert read_heartbeat(values) == Heartbeat(**told)
    for text in ("", "{", "[]", '{"pid": 7}'):
        path.write_text(text)
        assert read_heartbeat(values) is None


def test_journals_of_the_collector_count(values: Settings, lake: Lake) -> None:
    folder = values.collector_home / "journal"
    folder.mkdir(parents=True)
    (folder / "events.20260301-a-1.jsonl").write_text("{}\n")
    found = gather(lake, values, datetime.now(UTC)).collector
    assert (found.is_running, found.journals, found.bytes) == (False, 1, 3)


@pytest.fixture
def named(values: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The process's own settings name the home."""
    monkeypatch.setenv("SHOAL_HOME", str(values.root))
    monkeypatch.setenv("DAGSTER_HOME", str(values.root / "dagster"))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


def test_the_command_ends_with_the_verdict(named: Settings, lake: Lake) -> None:
    add_batch(lake, 1)
    well = CliRunner().invoke(app, ["status", "--check", "--json"])
    assert (well.exit_code, json.loads(well.output)["verdict"]) == (0, "healthy")
    said = CliRunner().invoke(app, ["status"])
    for part in ("landing", "lease", "free", "disk", "verdict     healthy", "backup      none"):
        assert part in said.output
    Path(lake.catalog.removeprefix("sqlite:")).unlink()
    ill = CliRunner().invoke(app, ["status", "--check"])
    assert ill.exit_code == 2
    assert "verdict     failing" in ill.output


def ask(port: int, path: str = "/health") -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


@pytest.mark.parametrize(("has_lake", "status"), [(True, 200), (False, 503)])
def test_the_verdict_over_http(values: Settings, has_lake: bool, status: int) -> None:
    lake = Lake.from_settings(values)
    if has_lake:
        with lake.writer("test set-up") as connection:
            create_tables(connection)
    with health_server(lake, values.model_copy(update={"health_port": 0})) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = int(server.server_address[1])
        code, content = ask(port)
        missing, _ = ask(port, "/else")
        server.shutdown()
        thread.join()
    assert (code, missing) == (status, 404)
    assert content["verdict"] == ("healthy" if has_lake else "failing")
    assert "lease" in content
