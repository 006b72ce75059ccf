"""A lake with what customers of a simulated market said, in batches, as the text models read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.text_cleaning import content_hash
from orchestration.alert_records import list_alerts
from orchestration.alerts import run_alerts
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.listening.issues import Heard, hear_issues
from orchestration.listening.mentions import search_mentions
from orchestration.settings import Settings
from simulation import MarketConfig, simulate

TABLES = """
create table if not exists intermediate.int_events (
    event_id varchar, visitor_key varchar, customer_key varchar, ref_key varchar,
    anonymous_key varchar, occurred_at timestamp, event_type varchar, event_value double,
    country varchar, batch_id bigint
);
create view staging.stg_events as
select * exclude (visitor_key, customer_key) from intermediate.int_events;
create table if not exists intermediate.identity_map (
    identifier_key varchar, customer_key varchar, is_owner boolean, linked_at timestamp,
    owned_until timestamp
);
create table marts.orders (ordered_at timestamp, net_amount double, status varchar);
create table marts.customers (customer_key varchar, signed_up_at timestamp);
create table marts.feedback_signals (
    feedback_ref varchar, customer_key varchar, product_ref varchar, posted_at timestamp,
    source_type varchar, rating double, language varchar, body varchar, content_hash varchar,
    body_length bigint, sentiment varchar, sentiment_score double, intent varchar,
    topic_id integer, topic_name varchar, threatens_to_leave boolean, unread_reason varchar,
    batch_id bigint
);
create view marts.feedback_complaints as
select * from marts.feedback_signals
where sentiment = 'negative' or (sentiment = 'neutral' and intent in ('complaint', 'cancellation'));
create view staging.stg_products as
select product_ref, name as product_name from raw.products;
"""
NOW = datetime(2026, 11, 22)
WRITTEN = (
    "marts.feedback_signals", "marts.emerging_issues", "ops.masked_texts", "ops.text_mentions",
    "ops.listening_terms", "ops.alerts", "ops.batches", "ops.clock",
    "ops.metric_states", "ops.habit_models", "raw.products",
)  # fmt: skip
TEXT_COLUMNS = ["feedback_ref", "product_ref", "posted_at", "source_type", "rating", "body"]


@dataclass
class ListeningRoom:
    """A lake that hears texts batch by batch.

    Attributes
    ----------
    batches : how many there were.
    """

    lake: Lake
    values: Settings
    batches: int = 0

    def say(self, texts: pd.DataFrame, as_of: datetime) -> Heard:
        """Let a batch of texts arrive (`feedback_signals`' columns), and the run judge it."""
        self.batches += 1
        rows = texts.assign(
            batch_id=self.batches, content_hash=[content_hash(body) for body in texts["body"]]
        )
        with self.lake.writer("test batch") as connection:
            connection.execute("update ops.batches set snapshot_id = 1")
            connection.execute(
                "insert into ops.batches select ?, 'hour', 'run', 1, 1, 0, 0, ?, null, null",
                [self.batches, NOW],
            )
            connection.execute("delete from ops.clock")
            connection.execute(
                "insert into ops.clock values (?, 'history', ?, ?)",
                [as_of, self.batches, self.batches],
            )
            if len(rows):
                connection.register("rows", rows)
                connection.execute("insert into marts.feedback_signals by name select * from rows")
                connection.execute(
                    "insert into ops.masked_texts select feedback_ref, batch_id, content_hash, "
                    "body, 'text', false, 'test', batch_id from rows"
                )
                connection.unregister("rows")
        search_mentions(self.lake, self.values)
        heard = hear_issues(self.lake, self.values)
        run_alerts(self.lake, self.values, NOW, lambda line: None)
        return heard

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts of what customers say, the newest first."""
        kinds = "('complaint_burst', 'topic_burst', 'emerging_complaint')"
        with self.lake.reader(latest=True) as connection:
            return list_alerts(connection, where=f"kind in {kinds}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.lake.reader(latest=True) as connection:
            return connection.execute(query).fetchall()

    def empty(self) -> None:
        """Forget everything: texts, issues, alerts and what detectors remember."""
        self.batches = 0
        with self.lake.writer("test: begin anew") as connection:
            for table in WRITTEN:
                connection.execute(f"delete from {table}")

    def sell(self, products: pd.DataFrame) -> None:
        """Let products be known by their names."""
        with self.lake.writer("test: products") as connection:
            connection.register("rows", products.drop_duplicates("product_ref"))
            connection.execute(
                "insert into raw.products (product_ref, name, batch_id, row_number) "
                "select product_ref, name, 1, 1 from rows"
            )
            connection.unregister("rows")


def listening_room(home: Path) -> ListeningRoom:
    """A room with the tables that listening and alerts read, all of them empty."""
    from ml.anomalies_habit import RATES

    values = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    lake = Lake.from_settings(values)
    rates = ", ".join(f"{rate} double" for rate in RATES)
    with lake.writer("test tables") as connection:
        create_tables(connection)
        connection.execute(TABLES)
        connection.execute(
            "create table intermediate.int_customer_days (customer_key varchar, "
            f"activity_date date, first_at timestamp, last_at timestamp, {rates})"
        )
    return ListeningRoom(lake, values)


@dataclass(frozen=True)
class Market:
    """What was said in a market, with the truth: mood, topic, and the planted bursts."""

    texts: pd.DataFrame
    bursts: list[dict[str, Any]]
    products: pd.DataFrame


def simulated_market(folder: Path, seed: int, days: int = 200, customers: int = 1_000) -> Market:
    """The texts of a market, read as they are truly meant."""
    config = MarketConfig(customers=customers, events=customers * 30, seed=seed, days=days)
    simulate(config, folder / "landing", folder / "truth", NOW)
    said = _read(folder / "landing/feedback").merge(_read(folder / "truth/feedback_truth"))
    mood = said["sentiment"]
    texts = said[TEXT_COLUMNS].assign(
        language="en",
        body_length=said["body"].str.len(),
        sentiment=np.select([mood < -0.15, mood > 0.15], ["negative", "positive"], "neutral"),
        sentiment_score=mood,
        intent="question",
        topic_id=said["topic"].astype("category").cat.codes.astype(int),
        topic_name=said["topic"],
        threatens_to_leave=False,
    )
    bursts = _read(folder / "truth/complaints_truth").to_dict("records")
    products = _read(folder / "landing/products")
    return Market(texts.sort_values("posted_at", ignore_index=True), bursts, products)


def _read(folder: Path) -> pd.DataFrame:
    return pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))), ignore_index=True)
