"""The statements by which dbt brings its tables up to a batch, to be run again without dbt.

dbt renders, compiles and inspects its models anew in every run: about 0.35 s for each. What varies
from batch to batch is read by the statements themselves (``run_value`` in the dbt project), so the
statements of one increment are those of the next. They are recorded once per version of the project
and kept in ``$SHOAL_HOME/live``, so that a batch and a worker that takes over start without dbt.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.clock import read_clock
from orchestration.dbt_runner import DBT_PROJECT_DIR, FAILED, MANIFEST, NodeResult, run_dbt
from orchestration.ingestion.sql import first_line
from orchestration.lake import Lake
from orchestration.settings import Settings

CHANGES = ("create", "insert", "delete", "update", "drop", "set", "alter")
COMMENT = re.compile(r"\s*(/\*.*?\*/|--[^\n]*\n)", re.DOTALL)
MADE_TEMPORARY = re.compile(r"create\s+temporary\s+table\s+(?P<name>\S+)", re.IGNORECASE)
LEFT_OUT = re.compile(r"set variable (?P<name>shoal_leaves_out_\w+) =")
REPLACED_IN_WHOLE = re.compile(
    r'delete from (?P<table>"\w+"\."\w+"\."\w+");\s*'
    r'insert into (?P=table) \([^)]*\)\s*select [^;]*? from (?P<copy>"\w+");?\s*$',
    re.DOTALL,
)
NOT_PER_BATCH = frozenset({"training", "journeys", "attribution", "segments"})


class IncrementFailed(RuntimeError):
    """A recorded statement failed: which model, and why."""


class NothingPublished(RuntimeError):
    """There is no finished run yet whose tables an increment could bring up to date."""


@dataclass(frozen=True)
class Recording:
    """What dbt ran for each model, in its order."""

    project: str
    statements: Mapping[str, Sequence[str]]

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(self.statements)

    def replay(self, connection: duckdb.DuckDBPyConnection) -> dict[str, float]:
        """Bring all tables up to the clock's batches, within the caller's transaction.

        A model that says that nothing it reads has changed is left out.

        Returns
        -------
        seconds : dict
            How long each model took.

        Raises
        ------
        IncrementFailed
        """
        known: set[str] = set()
        seconds: dict[str, float] = {}
        for model, statements in self.statements.items():
            started = time.perf_counter()
            for statement in statements:
                # a value is found from tables that are done, and stays what it is
                if statement.startswith("set ") and statement in known:
                    continue
                known.add(statement)
                try:
                    connection.execute(statement)
                    if _is_left_out(connection, statement):
                        break
                except duckdb.Error as error:
                    raise IncrementFailed(f"{model}: {first_line(error)}") from error
            seconds[model] = time.perf_counter() - started
        return seconds

    def write(self, path: Path) -> None:
        """Keep it in place of the one before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)


def _is_left_out(connection: duckdb.DuckDBPyConnection, statement: str) -> bool:
    if not (match := LEFT_OUT.match(statement)):
        return False
    row = connection.execute(f"select getvariable('{match['name']}')").fetchone()
    return row is not None and row[0] is True


def kept_increment(values: Settings) -> Recording | None:
    """The recording of this version of the dbt project, if there is one."""
    path = values.live_home / "increment.json"
    if not path.exists():
        return None
    kept = Recording(**json.loads(path.read_text()))
    return kept if kept.project == fingerprint(DBT_PROJECT_DIR) else None


def record_increment(
    lake: Lake, values: Settings, log: Any = None
) -> tuple[Recording, list[NodeResult]]:
    """Let dbt carry the clock's batches through its models, and keep what it ran.

    The caller is the one who carries batches. A run of which a model failed is not kept.

    Raises
    ------
    NothingPublished
        The clock's window is the whole history, whose statements are no increment's.
    DbtError
        When dbt does not start.
    """
    with lake.reader(latest=True) as connection:
        if read_clock(connection).first_batch_id <= 1:
            raise NothingPublished("no batch has been published yet: run main_job (make demo)")
    heard: dict[str, list[str]] = {}

    def hear(node: str, text: str) -> None:
        heard.setdefault(node, []).append(text)

    project = fingerprint(DBT_PROJECT_DIR)
    with lake.lease("record the increment"):
        results = run_dbt("run", batch_models(), on_statement=hear, log=log)
    statements = {node.name: kept_statements(heard.get(node.name, [])) for node in results}
    recording = Recording(project, read_from_memory(statements))
    if not any(node.status in FAILED for node in results):
        recording.write(values.live_home / "increment.json")
    return recording, results


def kept_statements(texts: Sequence[str]) -> list[str]:
    """The statements that change something, and the removal of temporary tables they leave.

    What dbt asks in order to know its tables, and its transactions, are left out.
    """
    kept = [bare for bare in map(without_comment, texts) if bare.split(None, 1)[0] in CHANGES]
    made = [match["name"] for match in map(MADE_TEMPORARY.match, kept) if match]
    return [*kept, *(f"drop table {name}" for name in made)]


def read_from_memory(statements: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Let later models read a table that was replaced in whole from the temporary one it came from.

    Both hold the same rows, and to name a table of the lake costs some milliseconds each time.
    The temporary table is dropped at the end instead of after its model.
    """
    copies: dict[str, str] = {}
    result: dict[str, list[str]] = {}
    for model, texts in statements.items():
        kept = []
        for text in texts:
            for table, copy in copies.items():
                text = text.replace(table, copy)
            kept.append(text)
        for text in texts:
            if match := REPLACED_IN_WHOLE.match(text):
                copies[match["table"]] = match["copy"]
                kept.remove(f"drop table {match['copy']}")
        result[model] = kept
    if copies:
        result[model] += [f"drop table {copy}" for copy in copies.values()]
    return result


def without_comment(text: str) -> str:
    """A statement without the comments before it, which differ between runs."""
    end = 0
    while match := COMMENT.match(text, end):
        end = match.end()
    return text[end:].strip()


def batch_models() -> list[str]:
    """Tables that follow every batch; views follow by themselves, the others once a day."""
    nodes = json.loads(MANIFEST.read_text())["nodes"].values()
    return [
        node["name"]
        for node in nodes
        if node["resource_type"] == "model"
        and node["config"]["materialized"] not in ("view", "ephemeral")
        and not NOT_PER_BATCH & set(node["tags"])
    ]


def fingerprint(folder: Path) -> str:
    """A hash of the content of every source below a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in (".sql", ".yml", ".csv", ".py") and inside.parts[0] != "target":
            digest.update(f"{inside}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
