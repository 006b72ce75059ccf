"""What processes do that are killed: the product's own functions, as its processes call them."""

import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.clock import set_clock
from orchestration.dbt_runner import MANIFEST, run_dbt
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake, set_file_format
from orchestration.publication import publish
from orchestration.settings import PROJECT_ROOT, Settings, settings
from orchestration.waiting import waiting_work

if TYPE_CHECKING:
    from orchestration.live.worker import LiveWorker

NOT_OF_A_BATCH = {"training", "journeys", "attribution", "segments"}


def make_lake() -> None:
    """An empty home: folders and a lake without dbt's tables."""
    values = _settings()
    values.pseudonym_key()
    values.dagster_home.mkdir(parents=True)
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", values.dagster_home / "dagster.yaml")
    with Lake.from_settings().writer("test: set up") as connection:
        set_file_format(connection)
        create_tables(connection)


def make_home() -> None:
    """A home with every table of a batch, a registry and a published history from landing."""
    import dagster as dg

    from orchestration.registry import Registry

    make_lake()
    ingest()
    _carry(full=True)
    Registry(_settings()).challenger("churn")
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0


def ingest() -> None:
    """What the asset of the raw tables does, hour by hour, for what the sensor would ask for."""
    values = _settings()
    with Lake.from_settings().writer("test: ingest") as connection:
        waiting = waiting_work(connection, values, {})
        for hour in sorted({file.partition_key for file in waiting.files}):
            ingest_batch(
                connection,
                [file for file in waiting.files if file.partition_key == hour],
                hour,
                "a run",
                datetime.now(UTC),
                values.pseudonym_key(),
            )


def increment() -> None:
    """A batch without Dagster around it: ingestion, clock, dbt, publication."""
    ingest()
    _carry(full=False)


def batch_job() -> None:
    """The job that the sensor starts, for what it would ask for."""
    from orchestration.demo import run_job

    values = _settings()
    with Lake.from_settings().reader(latest=True) as connection:
        waiting = waiting_work(connection, values, {})
        unpublished = connection.execute(
            "select min(partition_key) from ops.batches where snapshot_id is null"
        ).fetchone()
    hours = {file.partition_key for file in waiting.files}
    hours |= {unpublished[0]} - {None} if unpublished else set()
    for hour in sorted(hours):
        run_job("batch_job", hour)


def live_worker() -> None:
    """The live worker, as a run of Dagster holds it; works until it is killed or relieved."""
    print(_worker().run())


def record_increment() -> None:
    """What a worker of this version of the project does once: let dbt tell its statements."""
    _worker().increment()


def _worker() -> "LiveWorker":
    from orchestration.live.worker import LiveWorker

    silent: dict[str, Any] = {"report": _nothing, "report_caught_up": _nothing}
    return LiveWorker(
        Lake.from_settings(), _settings(), f"run of {os.getpid()}", log=print, **silent
    )


def land(mapping: str, source: str) -> None:
    """``shoal land``."""
    from orchestration.cli import app

    app(["land", mapping, source], standalone_mode=False)


def journal(roll_seconds: float, size: int) -> None:
    """A collector's journals, without HTTP: recover, then append, acknowledge and roll for ever.

    What is acknowledged is in a file of its own, in which a torn last line counts for nothing.
    """
    from collector.journal import Journals

    values = _settings()
    journals = Journals(
        values.collector_home / "journal", values.landing, str(os.getpid()), roll_seconds, size
    )
    journals.recover()
    with (values.home / f"acknowledged.{os.getpid()}").open("a", buffering=1) as acknowledged:
        for number in range(1 << 30):
            rows = [f"{os.getpid()}-{number}-{each}" for each in range(1 + number % 7)]
            journals.append(
                {
                    "events": [
                        json.dumps(
                            {"event_id": row, "occurred_at": "2024-01-01", "event_type": "x"}
                        ).encode()
                        for row in rows
                    ]
                }
            )
            acknowledged.write(json.dumps(rows) + "\n")
            journals.roll()


def recover_journals() -> None:
    """What a collector does first, and a drain."""
    from collector.journal import Journals

    values = _settings()
    Journals(values.collector_home / "journal", values.landing, "last", 1, 1).recover()


def hold_lease(seconds: float) -> None:
    """Take the writer lease and give it back, over and over, with a commit each time."""
    until = time.monotonic() + seconds
    lake = Lake.from_settings()
    while time.monotonic() < until:
        with lake.writer("test: holder") as connection:
            connection.execute("delete from ops.skipped_tasks")
            connection.execute("insert into ops.skipped_tasks values ('churn', 'a test', true)")


def rebuild() -> None:
    """Every table of a batch from the whole of raw."""
    values = _settings()
    lake = Lake.from_settings()
    with lake.writer("test: clock") as connection:
        set_clock(connection, values, whole_history=True)
    with lake.lease("test: dbt"):
        _dbt("run", _models(views=False), full=True)


def _carry(*, full: bool) -> None:
    values = _settings()
    lake = Lake.from_settings()
    with lake.writer("test: clock") as connection:
        set_clock(connection, values)
    with lake.lease("test: dbt"):
        _dbt("build" if full else "run", _models(views=full), full=False)
    with lake.writer("test: publish") as connection:
        assert publish(connection, datetime.now(UTC).replace(tzinfo=None)) is not None


def _dbt(command: str, names: list[str], *, full: bool) -> None:
    results = run_dbt(command, names, full_refresh=full, tests=False)
    assert [result for result in results if result.status != "success"] == []


def _models(*, views: bool) -> list[str]:
    """Names of what a batch builds; with ``views`` also what is made once."""
    nodes = json.loads(MANIFEST.read_text())["nodes"].values()
    return [
        node["name"]
        for node in nodes
        if node["resource_type"] in ("model", "seed")
        and not NOT_OF_A_BATCH & set(node["tags"])
        and (views or node["config"]["materialized"] not in ("view", "seed"))
    ]


def _nothing(*told: object) -> None:
    pass


def _settings() -> Settings:
    values = settings()
    values.export()
    Path(values.home).mkdir(parents=True, exist_ok=True)
    return values
