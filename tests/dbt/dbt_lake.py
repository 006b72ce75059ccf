"""A real lake in a folder of its own, raw rows for it, and dbt over it in this process."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from orchestration.dbt_increment import Recording, kept_statements
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.schema import create_tables
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT, Settings
from tests.orchestration.empty_lakes import release

PROJECT = PROJECT_ROOT / "dbt_project"
LIVE = ("--exclude", "tag:training", "tag:journeys", "tag:attribution", "tag:segments")
REBUILT = ("--select", "tag:training", "tag:journeys", "tag:attribution", "tag:segments")
INCREMENT = "increment.json"
HOT = (*LIVE, "config.materialized:view")  # without the views, once they are there
SAID = {
    "fine": ("positive", 0.8, "praise", False, 1),
    "where is it": ("neutral", 0.0, "question", False, 2),
    "awful": ("negative", -0.9, "complaint", False, 2),
    "I am leaving": ("negative", -0.7, None, True, None),
}
"""How known texts are read: mood, score, intent, threat to leave, topic; others are not."""
Row = tuple[str, dict[str, Any]]
"""An entity and the columns of one raw row, with its batch_id."""

KEYS = {
    "intermediate.identity_map": ["identifier_key", "customer_key"],
    "intermediate.int_customer_days": ["customer_key", "activity_date"],
    "marts.orders": ["order_ref"],
    "marts.order_lines": ["order_ref", "line_number"],
    "intermediate.int_sessions": ["visitor_key", "started_at", "is_bot_agent"],
    "marts.sessions": ["visitor_key", "started_at"],
    "marts.bot_sessions": ["session_id"],
    "marts.journey_steps": ["step_id"],
    "marts.customers": ["customer_key"],
    "marts.customer_features": ["customer_key"],
    "marts.kpi_daily": ["kpi_date"],
    "marts.feedback_signals": ["feedback_ref"],
}
BOOKKEEPING = ["previous_customer_key", "changed_batch_id", "batch_id"]


class DbtLake:
    """One lake and the dbt project over it.

    Parameters
    ----------
    home
        Folder that becomes ``SHOAL_HOME``.
    target
        dbt's target folder.
    manifest
        The parsed project, which saves a second per run; None parses it.
    """

    def __init__(self, home: Path, target: Path, manifest: Manifest | None = None) -> None:
        self.settings = Settings(home=home, catalog=None, data_path=None, threads=2)
        self.lake = Lake.from_settings(self.settings)
        self.target = target
        self.manifest = manifest
        self.has_views = False
        self.increment: Recording | None = None
        with self.lake.writer("test: set up") as connection:
            create_tables(connection)
        if manifest is not None:
            self.dbt("seed")

    @classmethod
    def made_from(cls, template: Path, home: Path, target: Path) -> DbtLake:
        """A copy of what `as_template` left."""
        shutil.copytree(template / "home", home, symlinks=True, dirs_exist_ok=True)
        values = Settings(home=home, catalog=None, data_path=None)
        with closing(sqlite3.connect(values.lake_catalog.removeprefix("sqlite:"))) as catalog:
            catalog.execute(
                "update ducklake_metadata set value = ? where key = 'data_path'",
                [values.lake_data_path],
            )
            catalog.commit()
        lake = cls(home, target)
        lake.has_views = True
        lake.increment = Recording(**json.loads((template / INCREMENT).read_text()))
        return lake

    def as_template(self, template: Path) -> None:
        """Run every live model on nothing, record how, and leave it all in a folder."""
        self.carry(datetime(2024, 1, 1), 0, 0)
        increment = self.record()
        release(self.lake)
        shutil.copytree(self.settings.root, template / "home", symlinks=True)
        increment.write(template / INCREMENT)

    def load(self, rows: Iterable[Row]) -> None:
        """Add raw rows; the pseudonym of an identifier is the identifier itself."""
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, values in rows:
            pseudonyms = ENTITIES[name].pseudonyms.items()
            keys = {key: values.get(source) for key, source in pseudonyms}
            tables.setdefault(name, []).append({**values, **keys})
        with self.lake.writer("test: load") as connection:
            for name, table in tables.items():
                frame = pd.DataFrame(table)
                names = ", ".join(frame.columns)
                connection.execute(f"insert into raw.{name} ({names}) select {names} from frame")
        self.read_texts()

    def read_texts(self, reader: str = "test", batch: int | None = None) -> None:
        """Mask feedback that is not yet, and read texts that this reader has not read.

        Rows are of the run of a batch; by default of the feedback's own.
        """
        own = "batch_id" if batch is None else str(batch)
        said = pd.DataFrame([(text, *read) for text, read in SAID.items()])
        said.columns = pd.Index(["body", "sentiment", "score", "intent", "leaving", "topic_id"])
        with self.lake.writer("test: read texts") as connection:
            connection.execute(
                "insert into ops.masked_texts select feedback_ref, batch_id, sha256(body), body, "
                f"'text', false, 'test', {own} from raw.feedback "
                "anti join ops.masked_texts using (feedback_ref)"
            )
            connection.execute("create or replace temporary table said as select * from said")
            connection.execute(
                f"""
                create or replace temporary table read_anew as
                select
                    content_hash, $reader as reader, 'en' as language, any_value(sentiment) as
                    sentiment, any_value(score) as sentiment_score, any_value(intent) as intent,
                    any_value(leaving) as threatens_to_leave,
                    any_value(topic_id)::integer as topic_id,
                    case when any_value(sentiment) is null then 'language' end as unread_reason,
                    min({own}) as changed_batch_id
                from ops.masked_texts left join said using (body)
                where content_hash not in
                    (select content_hash from ops.text_readings where reader = $reader)
                group by content_hash
                """,
                {"reader": reader},
            )
            connection.execute(
                "delete from ops.text_readings where content_hash in "
                "(select content_hash from read_anew)"
            )
            connection.execute("insert into ops.text_readings by name select * from read_anew")

    def execute(self, statement: str, parameters: list[Any] | None = None) -> None:
        """Change the lake directly."""
        with self.lake.writer("test: change") as connection:
            connection.execute(statement, parameters or [])

    def set_clock(self, as_of: datetime, first_batch_id: int, last_batch_id: int) -> None:
        """Say which batches the next run carries through, and as of when."""
        self.execute("delete from ops.clock")
        self.execute(
            "insert into ops.clock values (?, 'history', ?, ?)",
            [as_of, first_batch_id, last_batch_id],
        )

    def carry(
        self, as_of: datetime, first_batch_id: int, last_batch_id: int, *arguments: str
    ) -> None:
        """Carry batches through to the features, as a live run does."""
        self.set_clock(as_of, first_batch_id, last_batch_id)
        self.dbt("run", *(HOT if self.has_views else LIVE), *arguments)
        self.has_views = True

    def record(self) -> Recording:
        """Let dbt carry nothing at all, and keep the statements by which it did."""
        heard: dict[str, list[str]] = {}

        def hear(event: Any) -> None:
            if event.info.name == "SQLQuery":
                node = event.data.node_info.node_name
                heard.setdefault(node, []).append(event.data.sql)

        self.set_clock(datetime(2024, 3, 12), 2, 1)
        outcome = self.try_dbt("run", *HOT, callbacks=[hear])
        assert outcome.success, "\n".join(messages(outcome))
        names = [node.node.name for node in outcome.result]
        return Recording("", {name: kept_statements(heard[name]) for name in names})

    def replay(
        self,
        as_of: datetime,
        first_batch_id: int,
        last_batch_id: int,
        recording: Recording | None = None,
    ) -> None:
        """Carry batches through to the features, as the live worker does."""
        recording = recording or self.increment
        assert recording is not None
        self.set_clock(as_of, first_batch_id, last_batch_id)
        with self.lake.writer("test: replay") as connection, transaction(connection):
            recording.replay(connection)

    def set_as_of_dates(self, instants: Iterable[datetime], population_days: int = 400) -> None:
        """Name the past instants to train on."""
        self.execute("delete from ops.as_of_dates")
        for instant in instants:
            self.execute(
                "insert into ops.as_of_dates values ('churn', ?, 5, ?, 'no purchase', 'buyers', 5)",
                [instant, population_days],
            )

    def dbt(self, command: str, *arguments: str) -> None:
        """Run dbt and fail with its first errors when a node fails."""
        outcome = self.try_dbt(command, *arguments)
        assert outcome.success, "\n".join(messages(outcome))

    def try_dbt(
        self,
        command: str,
        *arguments: str,
        callbacks: list[Callable[[Any], None]] | None = None,
    ) -> dbtRunnerResult:
        """Run dbt and return what came of it."""
        folders = {
            "--project-dir": PROJECT,
            "--profiles-dir": PROJECT,
            "--target-path": self.target,
            "--log-path": self.target,
        }
        options = [text for option in folders.items() for text in map(str, option)]
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]
        with mock.patch.dict(os.environ, self.settings.dbt_environment()):
            runner = dbtRunner(manifest=self.manifest, callbacks=callbacks)
            return runner.invoke([command, *options, *quiet, *arguments])

    def table(self, name: str, order_by: Iterable[str] = ()) -> pd.DataFrame:
        """The rows of a table at the live edge."""
        with self.lake.reader(latest=True) as connection:
            frame = connection.execute(f"select * from {name}").df()
        return frame.sort_values(list(order_by)).reset_index(drop=True) if order_by else frame

    def marts(self) -> Mapping[str, pd.DataFrame]:
        """Every table that must not depend on the order of batches, without bookkeeping."""
        return {
            name: self.table(name, keys).drop(columns=BOOKKEEPING, errors="ignore")
            for name, keys in KEYS.items()
        }


def messages(outcome: dbtRunnerResult) -> list[str]:
    """What went wrong, node by node."""
    nodes = getattr(outcome.result, "results", None)
    if nodes is None:
        return [str(outcome.exception)]
    failed = [node for node in nodes if str(node.status) in {"error", "fail", "runtime error"}]
    return [f"{node.node.name}: {node.message}" for node in failed]


def assert_same_tables(
    left: Mapping[str, pd.DataFrame], right: Mapping[str, pd.DataFrame], context: str
) -> None:
    """Row by row the same, numbers to 1e-9."""
    assert left.keys() == right.keys()
    for name, frame in left.items():
        pd.testing.assert_frame_equal(
            frame, right[name], check_exact=False, rtol=1e-9, atol=1e-9, obj=f"{context}: {name}"
        )
