"""A lake of which only the tables that rules look at are there, filled by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from orchestration.ingestion.schema import create_tables
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.rules.evaluation import Evaluation, evaluate_rules
from orchestration.rules.records import Record, read_records
from orchestration.settings import PROJECT_ROOT, Settings

NOON = datetime(2026, 6, 1, 12)
MODELS = PROJECT_ROOT / "dbt_project" / "models"
TABLES = {
    "marts.customer_features": MODELS / "marts/features/customer_features.yml",
    "marts.customers": MODELS / "marts/customers/customers.yml",
    "marts.orders": MODELS / "marts/sales/orders.yml",
    "intermediate.int_events": MODELS / "intermediate/int_events.yml",
    "marts.feedback_signals": MODELS / "marts/feedback/feedback_signals.yml",
    "intermediate.int_messages": MODELS / "intermediate/int_messages.yml",
    "intermediate.identity_map": MODELS / "intermediate/identity_map.yml",
}
HIGH_INTENT = (PROJECT_ROOT / "segments" / "high_intent.yml").read_text()


def create_rule_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the dbt models that rules look at as plain tables, by their contracts."""
    for table, path in TABLES.items():
        (model,) = yaml.safe_load(path.read_text())["models"]
        columns = ", ".join(f"{each['name']} {each['data_type']}" for each in model["columns"])
        connection.execute(f"create table {table} ({columns})")
    connection.execute(
        "create view staging.stg_events as "
        "select * exclude (visitor_key, customer_key, linked_at) from intermediate.int_events"
    )


WRITTEN = ("ops.segment_rules", "marts.rule_segments", "marts.rule_segment_history")
FIRST_BATCH = 5  # one after the first: that would carry the whole history


def insert(connection: duckdb.DuckDBPyConnection, table: str, *rows: Mapping[str, Any]) -> None:
    """Add rows to a table, by name."""
    connection.register("fresh", pa.Table.from_pylist([dict(row) for row in rows]))
    connection.execute(f"insert into {table} by name select * from fresh")


def rule_room(folder: Path) -> RuleRoom:
    """A room with a lake of its own below a folder."""
    values = Settings(home=folder / "home", threads=1, _env_file=None)  # type: ignore[call-arg]
    return RuleRoom(Lake.from_settings(values), folder / "segments")


class RuleRoom:
    """A deployment with customers and what they did, as batch after batch brings it.

    Parameters
    ----------
    lake
        An empty one; making its tables takes a second, so tests share it and `clear` it.
    folder
        Where its rules are.
    """

    def __init__(self, lake: Lake, folder: Path) -> None:
        self.lake = lake
        self.folder = folder
        with lake.writer("test: tables of rules") as connection:
            create_tables(connection)
            create_rule_tables(connection)
        self.clear()

    def clear(self) -> None:
        """Nobody, nothing, no rule, at noon."""
        self.as_of, self.batch, self.evaluations = NOON, FIRST_BATCH, 0
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        with self.change() as connection:
            for table in (*TABLES, *WRITTEN, "marts.customer_scores"):
                connection.execute(f"delete from {table}")
        self.set_clock()

    @contextmanager
    def change(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction on the lake."""
        with self.lake.writer("test: change") as connection, transaction(connection):
            yield connection

    def rule(self, name: str, text: str) -> Path:
        """Write a rule's file."""
        path = self.folder / f"{name}.yml"
        path.write_text(text)
        return path

    def execute(self, statement: str, values: list[Any] | None = None) -> None:
        with self.change() as connection:
            connection.execute(statement, values or [])

    def insert(self, table: str, *rows: Mapping[str, Any]) -> None:
        with self.change() as connection:
            insert(connection, table, *rows)

    def customers(self, *keys: str, **features: Any) -> None:
        """Customers with these features, computed by the batch of the clock."""
        known = {**features, "as_of": self.as_of, "batch_id": self.batch}
        with self.change() as connection:
            of = [{"customer_key": key} for key in keys]
            insert(connection, "marts.customers", *of)
            insert(connection, "marts.customer_features", *({**each, **known} for each in of))
            insert(
                connection, "intermediate.identity_map", *({"identifier_key": key} for key in keys)
            )

    def events(self, *rows: tuple[str, str, datetime]) -> None:
        """Events that name their customers: whose, of which type, when."""
        self.insert(
            "intermediate.int_events",
            *(
                {"customer_key": key, "ref_key": key, "event_type": type_, "occurred_at": at}
                for key, type_, at in rows
            ),
        )

    def orders(self, *rows: tuple[str, datetime]) -> None:
        """Completed orders: whose, when."""
        self.insert(
            "marts.orders",
            *({"customer_key": c, "ordered_at": t, "status": "completed"} for c, t in rows),
        )

    def feedback(self, *rows: tuple[str, str, datetime, float | None], mood: str = "") -> None:
        """Feedback: whose, of which kind, when, with which rating; and in which mood."""
        names = ("customer_key", "source_type", "posted_at", "rating")
        said = ({**dict(zip(names, row, strict=True)), "sentiment": mood or None} for row in rows)
        self.insert("marts.feedback_signals", *said)

    def touch(self, *keys: str) -> None:
        """Compute the features of customers anew, as of the clock, by its batch."""
        self.execute(
            "update marts.customer_features set as_of = ?, batch_id = ? "
            "where list_contains(?, customer_key)",
            [self.as_of, self.batch, list(keys)],
        )

    def next_batch(self, later: timedelta = timedelta(0)) -> None:
        """Move the clock on, to the next batch."""
        self.as_of += later
        self.batch += 1
        self.set_clock()

    def set_clock(self, first_batch_id: int | None = None) -> None:
        first = self.batch if first_batch_id is None else first_batch_id
        with self.change() as connection:
            connection.execute("delete from ops.clock")
            connection.execute(
                "insert into ops.clock values (?, 'history', ?, ?)", [self.as_of, first, self.batch]
            )

    def evaluate(self) -> Evaluation:
        """Evaluate the folder; wall clock time goes on with every call."""
        self.evaluations += 1
        return evaluate_rules(self.lake, self.folder, NOON + timedelta(days=self.evaluations))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.lake.reader(latest=True) as connection:
            return connection.execute(query).fetchall()

    def members(self, rule: str) -> dict[str, datetime]:
        """Who is in a rule, and since when."""
        rows = self.rows("select rule, customer_key, entered_at from marts.rule_segments")
        found = {key: since for name, key, since in rows if name == rule}
        assert len(found) == sum(name == rule for name, *_ in rows), "a customer is in it twice"
        return found

    def stays(self, customer: str) -> list[tuple[str, datetime, datetime | None]]:
        """The stays of a customer: rule, from, to."""
        rows = self.rows("select * from marts.rule_segment_history order by entered_at, rule")
        return [(rule, begin, end) for key, rule, begin, end in rows if key == customer]

    def records(self) -> dict[str, Record]:
        with self.lake.reader(latest=True) as connection:
            return read_records(connection)
