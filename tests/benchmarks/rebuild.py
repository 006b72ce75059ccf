"""One contestant of the rebuild: ``dbt``, or ``plain`` with the SQL that dbt compiled.

The plain one reads the same raw files and computes the same tables in a DuckDB file: no dbt, no
contracts, no lake to write to.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from orchestration.clock import set_clock
from orchestration.dbt_runner import FAILED, MANIFEST, run_dbt
from orchestration.lake import Lake
from orchestration.settings import settings

KEPT = "identity_log"  # no rebuild touches it
COPIED_TABLES = (
    "marts.customer_segments", "marts.attribution_models", "intermediate.identity_matches",
    "intermediate.identity_log",
)  # fmt: skip


def models() -> list[dict[str, Any]]:
    """The models of the batch path and their views, in the order of their dependencies."""
    nodes = json.loads(MANIFEST.read_text())["nodes"]
    waiting = {
        name: node
        for name, node in nodes.items()
        if node["resource_type"] == "model"
        and not {"training", "journeys", "attribution", "segments"} & set(node["tags"])
    }
    ordered: list[dict[str, Any]] = []
    while waiting:
        ready = [
            name
            for name, node in waiting.items()
            if not set(node["depends_on"]["nodes"]) & set(waiting)
        ]
        ordered += [waiting.pop(name) for name in ready]
    return ordered


def rebuild_by_dbt() -> float:
    """Seconds of a full refresh, dbt's start included."""
    values = settings()
    values.export()
    lake = Lake.from_settings(values)
    with lake.writer("rebuild") as connection:
        set_clock(connection, values, whole_history=True)
    started = time.perf_counter()
    names = [node["name"] for node in models()]  # views too: the other contestant makes them
    with lake.lease("rebuild"):
        results = run_dbt("run", names, full_refresh=True)
    failed = [result.name for result in results if result.status in FAILED]
    if failed:
        raise RuntimeError(f"not rebuilt: {', '.join(failed)}")
    return time.perf_counter() - started


def rebuild_plainly(path: Path, threads: int) -> float:
    """Seconds of the compiled statements, reading of the raw files included."""
    path.unlink(missing_ok=True)
    with Lake.from_settings(settings()).reader(latest=True) as connection:
        connection.execute(f"set threads = {threads}; attach '{path}' as plain")
        tables = _tables(connection)
        started = time.perf_counter()
        for schema in ("ops", "staging", "intermediate", "marts"):
            connection.execute(f"create schema plain.{schema}")
        for name in tables:
            connection.execute(f"create table plain.{name} as from lake.{name}")
        for node, statement in _compiled():
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            name = f"plain.{node['schema']}.{node['alias']}"
            connection.execute(f"create {kind} {name} as {statement}")
        connection.execute("checkpoint plain")
        return time.perf_counter() - started


def _compiled() -> Iterator[tuple[dict[str, Any], str]]:
    folder = Path(os.environ["DBT_TARGET_PATH"]) / "compiled" / "shoal"
    for node in models():
        if node["name"] != KEPT:
            text = (folder / node["original_file_path"]).read_text()
            yield (
                node,
                text.replace('"lake".', '"plain".').replace('"plain"."raw".', '"lake"."raw".'),
            )


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """What the statements read beside raw rows and each other."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'lake'"
    ).fetchall()
    names = [f"{schema}.{table}" for schema, table in rows]
    return [name for name in names if name.startswith("ops.") or name in COPIED_TABLES]


if __name__ == "__main__":
    if sys.argv[1] == "dbt":
        taken = rebuild_by_dbt()
    else:
        taken = rebuild_plainly(Path(sys.argv[2]), int(sys.argv[3]))
    print(json.dumps({"seconds": taken}))
