"""One model for customers and categories, judged by customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.category import CATEGORY
from ml.category_rows import HORIZON_DAYS, category_groups, labelled_categories
from ml.classifier import train
from ml.splits import NothingToLearnFrom
from ml.trained import TrainedModel

NOW = pd.Timestamp("2024-07-01")


def pairs(customers: int = 220, seed: int = 0) -> pd.DataFrame:
    """Customers with a taste for each of three categories, which their past and future follow."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2024-01-01", periods=10, freq="14D").astype("datetime64[us]")
    taste = rng.normal(-1, 1.2, (customers, 3))
    mood = rng.normal(0, 1.0, (customers, 1))  # rows of a customer are alike
    chance = 1 / (1 + np.exp(-(taste + mood)))
    frames = []
    for date in dates:
        for place, category in enumerate(("books", "food", "toys")):
            days = rng.poisson(4 * chance[:, place])
            frames.append(
                pd.DataFrame(
                    {
                        "customer_key": [f"c{i:03d}" for i in range(customers)],
                        "category": category,
                        "as_of": date,
                        "category_days_since_last_order": np.where(
                            days > 0, rng.exponential(60 / (days + 1)), np.nan
                        ),
                        "category_order_days_total": days.astype(float),
                        "category_line_share": days / 10,
                        "category_popularity_90d": 0.3,
                        "days_since_first_order": 200.0,
                        "label": (rng.random(customers) < chance[:, place]).astype(float),
                    }
                )
            )
    rows = pd.concat(frames, ignore_index=True)
    return rows.sort_values(["customer_key", "as_of", "category"], ignore_index=True)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    frame, horizon_days = labelled_categories(pairs(), NOW)
    return train(frame, CATEGORY, horizon_days=horizon_days, num_threads=1)


def test_affinity_orders_the_categories_of_a_customer(trained: TrainedModel) -> None:
    rows = pairs(60, seed=1)
    scores = trained.predict(rows, num_threads=1)
    often, never = rows["category_order_days_total"] >= 3, rows["category_order_days_total"] == 0
    assert scores[often].mean() > scores[never].mean() + 0.15
    assert trained.metric("roc_auc") > 0.7
    assert trained.metric("roc_auc", "category_recency") > 0.6
    assert len(trained.features) == 5
    assert "category" not in trained.features


def test_intervals_are_by_customer() -> None:
    """Three rows of a customer that say the same say no more than one."""
    books = pairs(150).query("category == 'books'")
    three = pd.concat(books.assign(category=name) for name in ("a", "b", "c"))
    three = three.sort_values(["customer_key", "as_of", "category"], ignore_index=True)

    def width(rows: pd.DataFrame) -> float:
        frame, horizon_days = labelled_categories(rows, NOW)
        model = train(frame, CATEGORY, horizon_days=horizon_days, num_threads=1)
        row = model.metrics.query("model == 'model' and metric == 'brier'").iloc[0]
        return float(row["high"] - row["low"])

    apart = three.assign(customer_key=three["customer_key"] + three["category"])
    assert width(three) > 1.4 * width(apart)


def test_labels_that_are_not_known_yet_teach_nothing() -> None:
    rows = pairs(20)
    newest = rows["as_of"].max()
    early = newest + pd.Timedelta(days=HORIZON_DAYS - 1)
    frame, horizon_days = labelled_categories(rows, early)
    assert horizon_days == HORIZON_DAYS
    assert frame["as_of"].max() < newest
    assert labelled_categories(rows, early + pd.Timedelta(days=1))[0]["as_of"].max() == newest
    with pytest.raises(NothingToLearnFrom, match="products with a category"):
        labelled_categories(rows.head(0), NOW)


def test_groups_tell_a_new_category_from_a_known_one() -> None:
    rows = pairs(20)
    groups = category_groups(rows)
    assert len(groups) == len(rows)
    new = rows["category_order_days_total"] == 0
    assert (groups["category"] == np.where(new, "never bought", "bought before")).all()
