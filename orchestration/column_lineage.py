"""Which columns each column of a model comes from: found at set-up, shown by Dagster's lineage."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.dbt_runner import DBT_PROJECT_DIR, MANIFEST

LINEAGE = MANIFEST.with_name("column_lineage.json")
DIALECT = "duckdb"

Leaf = tuple[str, str, str]
"""Schema, table and column."""

Lineage = dict[str, dict[str, list[tuple[list[str], str]]]]
"""Per model and column: asset key and column of each source."""


def write_column_lineage(connection: duckdb.DuckDBPyConnection) -> None:
    """Compile the project, trace its columns and keep the result beside the manifest.

    Parameters
    ----------
    connection
        On the lake, which knows the columns of all tables.

    Raises
    ------
    RuntimeError
        When the project does not compile.
    """
    from dbt.cli.main import dbtRunner

    folder = str(DBT_PROJECT_DIR)
    arguments = ["--project-dir", folder, "--profiles-dir", folder, "--log-level", "none"]
    outcome = dbtRunner().invoke(["compile", *arguments, "--target-path", str(MANIFEST.parent)])
    if not outcome.success:
        raise RuntimeError(f"dbt cannot compile {folder}: {outcome.exception}")
    manifest = json.loads(MANIFEST.read_text())
    compiled = MANIFEST.parent / "compiled" / manifest["metadata"]["project_name"]
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'lake'"
    ).fetchall():
        columns.setdefault((schema, table), {})[column] = data_type
    LINEAGE.write_text(json.dumps(trace(manifest, compiled, columns)))


def trace(
    manifest: Mapping[str, Any],
    compiled: Path,
    columns: Mapping[tuple[str, str], Mapping[str, str]],
) -> Lineage:
    """Trace every column of every model to the columns of the relations that it reads.

    Parameters
    ----------
    manifest
        dbt's manifest.
    compiled
        Folder with the compiled models.
    columns
        Data type by column, of every relation as (schema, name).
    """
    from sqlglot import exp
    from sqlglot.lineage import lineage
    from sqlglot.schema import MappingSchema

    known = MappingSchema(dialect=DIALECT)
    for (schema, table), types in columns.items():
        known.add_table(exp.table_(table, schema, "lake", quoted=True), dict(types))
    found: Lineage = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model":
            continue
        query = (compiled / node["original_file_path"]).read_text()
        traced = lineage(None, query, schema=known, dialect=DIALECT, trim_selects=False)
        seen: dict[int, frozenset[Leaf]] = {}
        found[node["name"]] = {
            column: [
                ([schema, table], name)
                for schema, table, name in sorted(_leaves(traced[column], seen))
            ]
            for column in node["columns"]
        }
    return found


def lineage_metadata(lineage: Lineage, model: str) -> dict[str, Any]:
    """A model's lineage as metadata of its materialization; empty when none was traced."""
    if model not in lineage:
        return {}
    deps = {
        column: [
            dg.TableColumnDep(asset_key=dg.AssetKey(key), column_name=name) for key, name in sources
        ]
        for column, sources in lineage[model].items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps_by_column=deps)}


def read_column_lineage() -> Lineage:
    """What `write_column_lineage` wrote; empty before."""
    if not LINEAGE.exists():
        return {}
    content: Lineage = json.loads(LINEAGE.read_text())
    return content


def _leaves(node: Any, seen: dict[int, frozenset[Leaf]]) -> frozenset[Leaf]:
    """The columns of tables at the end of a trace; a literal has none.

    Traces of one query share their nodes, so what is `seen` is kept.
    """
    from sqlglot import exp

    if id(node) not in seen:
        if node.downstream:
            parts = [_leaves(each, seen) for each in node.downstream]
            seen[id(node)] = frozenset().union(*parts)
        else:
            table = node.expression.find(exp.Table)
            seen[id(node)] = (
                frozenset({(table.db, table.name, exp.to_column(node.name).name)})
                if table is not None and table.db
                else frozenset()
            )
    return seen[id(node)]
