"""A small market on disk, with SQL over it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from simulation import MarketConfig, MarketSummary, simulate

ARRIVED = datetime(2026, 11, 22, 3)
CONFIG = MarketConfig(customers=3_000, events=150_000, seed=11, end=date(2026, 9, 30))
TRUTHS = (
    "customers_truth", "identity_truth", "anomalies_truth", "feedback_truth", "campaigns_truth",
    "complaints_truth",
)  # fmt: skip


class Market:
    """A market on disk, with SQL over its entities and its truth."""

    def __init__(self, root: Path) -> None:
        self.config = CONFIG
        self.landing, self.truth = root / "landing", root / "truth"
        self.summary: MarketSummary = simulate(CONFIG, self.landing, self.truth, ARRIVED)
        self.connection = duckdb.connect()
        for entity in self.summary.rows:
            self._view(entity, self.landing / entity / "*" / "*.parquet")
        for name in TRUTHS:
            self._view(name, self.truth / name / "*.parquet")
        self.connection.execute(
            "create view order_values as select order_ref, "
            "sum(round(quantity * unit_price - discount, 2)) as value "
            "from order_lines group by order_ref"
        )
        self.connection.execute(
            "create view owners as select ref, any_value(person_id) as person_id "
            "from identity_truth where kind = 'customer_ref' group by ref"
        )

    def _view(self, name: str, files: Path) -> None:
        self.connection.read_parquet(str(files), hive_partitioning=False).create_view(name)

    def one(self, query: str) -> float:
        """The single number that a query gives."""
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return float(row[0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows that a query gives."""
        return self.connection.execute(query).fetchall()
