"""Set-up of what is written at run time, and the start of Dagster on it."""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.clock import set_clock
from orchestration.column_lineage import LINEAGE, write_column_lineage
from orchestration.dbt_runner import (
    DBT_PROJECT_DIR,
    MANIFEST,
    DbtError,
    dagster_events,
    run_dbt,
)
from orchestration.dbt_specs import dbt_specs
from orchestration.ingestion.schema import create_tables
from orchestration.inlined_rows import write_inlined_rows
from orchestration.lake import Lake, set_file_format
from orchestration.settings import PROJECT_ROOT, Settings


def prepare(values: Settings) -> None:
    """Make folders, Dagster's home, the empty lake and dbt's manifest; repeating it is cheap."""
    values.export()
    dagster_home = values.dagster_home
    for folder in (values.landing, values.reports, dagster_home):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", dagster_home / "dagster.yaml")
    values.pseudonym_key()
    if _manifest_is_stale():
        parse_dbt()
        dbt_specs()
    made_from = values.home / "made_from"
    definitions = _definitions()
    changed = not made_from.exists() or made_from.read_text() != definitions
    lake = Lake.from_settings(values)
    if write_inlined_rows(lake):
        print("rows that lay in the catalog are files now (docs/adr/0022)")
    with lake.writer("set up") as connection:
        set_file_format(connection)
        create_tables(connection)
        models = _models_to_build(connection, with_views=changed)
        outdated = _outdated_models(connection)
        if models or outdated:
            set_clock(connection, values)
    if outdated:
        print(f"computed anew, since their columns changed: {', '.join(outdated)}")
    if models or outdated:
        build_models(lake, [*models, *outdated], full_refresh=bool(outdated))
    if changed or not LINEAGE.exists():
        with lake.reader(latest=True) as connection:
            write_column_lineage(connection)
    made_from.write_text(definitions)


def build_models(lake: Lake, names: Sequence[str], *, full_refresh: bool = False) -> None:
    """Make tables, views and seeds that no run may miss, or make tables anew from all history.

    Raises
    ------
    DbtError
        Naming every model that failed.
    """
    with lake.lease("build models"):
        results = run_dbt("build", names, tests=False, full_refresh=full_refresh)
    list(dagster_events(results, {}, {}))  # raises on a failed model


def parse_dbt() -> None:
    """Let dbt parse its project and write the manifest that Dagster loads.

    Raises
    ------
    DbtError
        When the project does not parse.
    """
    from dbt.cli.main import dbtRunner

    folder = str(DBT_PROJECT_DIR)
    arguments = ["--project-dir", folder, "--profiles-dir", folder, "--log-level", "warn"]
    outcome = dbtRunner().invoke(["parse", *arguments, "--target-path", str(MANIFEST.parent)])
    if not outcome.success:
        raise DbtError(f"dbt cannot parse {folder}: {outcome.exception}")


def start_dagster(values: Settings, port: int) -> None:
    """Become ``dagster dev``: UI, daemon and code location in one, on this deployment's home."""
    prepare(values)
    os.chdir(PROJECT_ROOT)
    dagster = Path(sys.executable).with_name("dagster")
    print(f"Dagster UI: http://localhost:{port}; drop files into {values.landing}/<entity>/")
    sys.stdout.flush()
    os.execv(dagster, [str(dagster), "dev", "-w", "workspace.yaml", "-p", str(port)])


def _models_to_build(connection: duckdb.DuckDBPyConnection, *, with_views: bool) -> list[str]:
    """Models that the lake lacks, and its views and seeds where their definitions may be old."""
    models = _nodes("model", "seed")
    existing = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'lake' "
        "union all "
        "select schema_name, view_name from duckdb_views() where database_name = 'lake'"
    ).fetchall()
    return [
        model["name"]
        for model in models
        if (model["schema"], model["alias"]) not in set(existing)
        or (with_views and model["config"]["materialized"] in ("view", "seed"))
    ]


def _outdated_models(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Tables that an earlier version of their model left with other columns."""
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in connection.execute(
        "select columns.schema_name, columns.table_name, columns.column_name "
        "from duckdb_columns() as columns "
        "inner join duckdb_tables() as tables using (database_name, schema_name, table_name) "
        "where columns.database_name = 'lake'"
    ).fetchall():
        columns.setdefault((schema, table), set()).add(column)
    return [
        model["name"]
        for model in _nodes("model")
        if columns.get((model["schema"], model["alias"]), set(model["columns"]))
        != set(model["columns"])
    ]


def _nodes(*kinds: str) -> list[dict[str, Any]]:
    nodes = json.loads(MANIFEST.read_text())["nodes"].values()
    return [node for node in nodes if node["resource_type"] in kinds]


def _definitions() -> str:
    """A hash of all models, seeds and macros: what the views of a home were made from.

    The manifest is one for all homes of a checkout, so it cannot tell which of them is behind.
    """
    manifest = json.loads(MANIFEST.read_text())
    texts = sorted(
        [f"{key} {node['checksum']['checksum']}" for key, node in manifest["nodes"].items()]
        + [f"{key} {macro['macro_sql']}" for key, macro in manifest["macros"].items()]
    )
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _manifest_is_stale() -> bool:
    if not MANIFEST.exists():
        return True
    built = MANIFEST.stat().st_mtime
    sources = (
        path
        for pattern in ("*.sql", "*.yml", "*.csv", "*.md")
        for path in DBT_PROJECT_DIR.rglob(pattern)
        if DBT_PROJECT_DIR / "target" not in path.parents
    )
    return any(path.stat().st_mtime > built for path in sources)
