"""Figures of others stand beside ours only where both are of the same customers and days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest

from ml.backtest import Backtest, judge_predictions
from ml.churn import CHURN
from ml.propensity import PURCHASE
from ml.task import Question
from ml.weighted import WEIGHTED_METRICS
from orchestration.evaluation import Evaluation
from orchestration.evaluation_page import evaluation_report
from orchestration.ingestion.mappings import load_mappings
from orchestration.reference_page import reference_table, summary
from orchestration.references import (
    REPEAT_PURCHASES,
    Reference,
    beside,
    beside_repeat_purchases,
    read_references,
    references_for,
)
from orchestration.settings import PROJECT_ROOT
from tests.ml.test_repeat_purchases import purchases

NOW = datetime(2026, 6, 1)
CUSTOMERS = 600
REFERENCE = Reference(
    dataset="shop",
    outcome="no purchase",
    horizon_days=30,
    cutoff=date(2026, 3, 1),
    customers=CUSTOMERS,
    settings="SHOAL_AS_OF=2026-03-31",
    source="A notebook.",
    rows={"good": {"roc_auc": 0.999, "brier": 0.3}, "poor": {"roc_auc": 0.5}},
)


@pytest.fixture(scope="module")
def judged() -> list[tuple[Question, Backtest | None, str]]:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.5, 2 * CUSTOMERS)
    origins = np.repeat(pd.to_datetime(["2026-01-01", "2026-03-01"]), CUSTOMERS)
    predictions = pd.DataFrame(
        {
            "origin": origins,
            "customer_key": np.tile([f"c{i}" for i in range(CUSTOMERS)], 2),
            "as_of": origins,
            "label": (rng.random(2 * CUSTOMERS) < 1 / (1 + np.exp(-odds))).astype(float),
            "model": 1 / (1 + np.exp(-odds)),
            "recency": rng.random(2 * CUSTOMERS),
        }
    )
    found = judge_predictions(predictions, 30, "logit", seed=0, rounds=40)
    return [(PURCHASE, None, "no order"), (CHURN, found, "")]


def test_every_reference_names_what_the_project_knows() -> None:
    mappings = load_mappings(PROJECT_ROOT / "sources")
    assert {reference.dataset for reference in read_references()} == {
        "online-retail", "complete-journey", "cdnow",
    }  # fmt: skip
    for reference in read_references():
        assert reference.dataset.replace("-", "_") in mappings
        assert {name for row in reference.rows.values() for name in row} <= set(WEIGHTED_METRICS)
        assert all(np.isfinite(value) for row in reference.rows.values() for value in row.values())
        assert not reference.elsewhere or (PROJECT_ROOT / reference.elsewhere).exists()
        assert reference.source.strip()


def test_the_same_cutoff_and_horizon_are_compared(
    judged: list[tuple[Question, Backtest | None, str]],
) -> None:
    found = beside(REFERENCE, judged)
    assert found.figures is not None
    assert set(found.figures["origin"].dt.date) == {REFERENCE.cutoff}
    assert [each.standing for each in found.standings()] == ["worse", "better"]
    assert summary([found]) == [
        "No purchase in 30 days, cutoff 2026-03-01: of 2 measures Shoal is better than the best "
        "reference on 1, within the interval on 0 and worse on 1. A reference is better on ROC AUC "
        "(good)."
    ]
    table = reference_table(found)
    assert table[""].tolist() == [
        "Shoal", "Shoal's baseline: recency alone", "reference: good", "reference: poor",
    ]  # fmt: skip
    assert table["ROC AUC"].tolist()[2:] == ["0.999*", "0.500"]
    assert table["Brier score"].tolist()[3] == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"horizon_days": 28}, "churn looks 30 days ahead here"),
        ({"cutoff": date(2026, 2, 1)}, "churn was judged at 2026-01-01, 2026-03-01 here"),
        ({"outcome": "purchase"}, "purchase was not judged: no order"),
        ({"outcome": "spend"}, "nothing of the kind was judged"),
        ({"customers": 700}, "600 customers here, 700 there"),
        ({"elsewhere": "tests/some.py"}, "Not judged here: tests/some.py"),
    ],
)
def test_without_a_comparison_the_page_says_what_gives_it(
    judged: list[tuple[Question, Backtest | None, str]], change: dict[str, object], words: str
) -> None:
    found = beside(replace(REFERENCE, **change), judged)  # type: ignore[arg-type]
    assert found.figures is None
    assert found.standings() == ()
    assert words in found.reason
    if "customers" not in change and "elsewhere" not in change:
        assert "SHOAL_AS_OF=2026-03-31 make evaluate DATASET=shop" in found.reason
    page = evaluation_report(Evaluation(NOW, 1, None, (), (found,)), "Title", NOW).page.markdown()
    assert words in page
    assert "| reference: good | 0.999 | 0.300 |" in page


def test_the_page_says_plainly_where_a_reference_is_better(
    judged: list[tuple[Question, Backtest | None, str]],
) -> None:
    found = Evaluation(NOW, 1, None, (), (beside(REFERENCE, judged),))
    text = evaluation_report(found, "Title", NOW).page.markdown()
    assert "A reference is better on ROC AUC (good)." in text
    assert "worse than the best reference, 0.999 (good)." in text
    none = evaluation_report(Evaluation(NOW, 1, None, ()), "Title", NOW).page.markdown()
    assert "No figures of others are known for what is in the lake" in none


def test_references_are_of_the_only_data_set_in_the_lake(
    scratch: duckdb.DuckDBPyConnection,
) -> None:
    folder = "orders/arrived=2026-01-01T00"
    for files, count in (
        ([], 0),
        ([f"{folder}/cdnow-1a.parquet", "cdnow-2b.parquet"], 1),
        ([f"{folder}/cdnow-1a.parquet", "orders/mine.csv"], 0),
        ([f"{folder}/online_retail-1a.parquet"], 3),
        ([f"{folder}/online_retail_2-1a.parquet"], 0),
    ):
        scratch.execute("delete from ops.landed_files")
        for number, file in enumerate(files):
            scratch.execute(
                "insert into ops.landed_files by name select ? as file_hash, ? as file, "
                "'orders' as entity, 'h' as partition_key, 1 as bytes, 1 as modified_ns, "
                "1 as received, 1 as accepted, 0 as duplicates, 0 as rejected, "
                "[]::varchar[] as notes, 1 as batch_id, ?::timestamp as ingested_at",
                [str(number), file, NOW],
            )
        assert len(references_for(scratch)) == count, files


def test_repeat_purchases_are_predicted_from_the_lake(scratch: duckdb.DuckDBPyConnection) -> None:
    days = purchases(300)
    scratch.register("days", days)
    scratch.execute(
        "create table intermediate.int_customer_days as select customer_key, "
        "day::date as activity_date, amount as revenue, units, 1.0 as orders from days "
        "union all select 'c000', date '1997-12-30', 0, 0, 0"
    )
    protocol = replace(
        REFERENCE,
        outcome=REPEAT_PURCHASES,
        cutoff=date(1997, 10, 1),
        horizon_days=90,
        customers=300,
        rows={"coin": {"mae": 99.0, "correlation": 0.0}},
    )
    found = beside_repeat_purchases(protocol, scratch, seed=0, threads=1)
    assert found.customers == 300
    assert [each.standing for each in found.standings()] == ["better", "better"]
    assert set(reference_table(found)[""]) == {
        "Shoal", "Shoal's baseline: BG/NBD", "reference: coin",
    }  # fmt: skip
    early = beside_repeat_purchases(replace(protocol, horizon_days=273), scratch, seed=0, threads=1)
    assert early.figures is None
    assert "purchases end on" in early.reason
