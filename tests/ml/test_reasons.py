"""Reasons are those of the score, in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.reasons import Phrase, as_lists, explain, strongest, typical_values
from ml.trained import TrainedModel

CATALOGUE = {
    "days_since_last_order": Phrase(
        "days since the last order", "has not bought for {value} days; usually every {gap_mean}"
    ),
    "orders_30d": Phrase("orders in the last 30 days"),
}


@pytest.fixture(scope="module")
def typical(trained: TrainedModel, frame: pd.DataFrame) -> dict[str, float]:
    return typical_values(frame, trained.features)


def say(
    trained: TrainedModel, rows: pd.DataFrame, typical: dict[str, float], count: int = 3
) -> pd.DataFrame:
    return explain(trained.model, rows, CATALOGUE, typical, count=count)


def test_long_absence_is_named_first_and_raises(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    rows = frame.head(20).assign(
        days_since_last_order=63.0, gap_mean=18.0, orders_30d=3.0, revenue_90d=60.0, noise=0.0
    )
    first = say(trained, rows, typical)["reason_1"]
    assert set(first) == {"has not bought for 63 days; usually every 18 (raises)"}


def test_recent_purchase_lowers(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    rows = frame.head(5).assign(days_since_last_order=1.0, gap_mean=18.0, orders_30d=3.0)
    words = say(trained, rows, typical).agg(" | ".join, axis=1)
    assert words.str.contains(r"has not bought for 1 days; usually every 18 \(lowers\)").all()


def test_noise_is_hardly_ever_the_first_reason(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    first = say(trained, frame, typical)["reason_1"]
    assert first.str.startswith("noise").mean() < 0.02


def test_a_flag_is_yes_or_no_and_never_a_number(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    catalogue = {name: Phrase(f"has {name}", unit="flag") for name in trained.features}
    rows = frame.head(2).assign(days_since_last_order=[1.0, 0.0])
    said = explain(trained.model, rows, catalogue, typical).apply(" | ".join, axis=1)
    assert "has days_since_last_order: yes (" in said.iloc[0]
    assert "has days_since_last_order: no (" in said.iloc[1]
    assert not said.str.contains(r"flag|typical|: \d").any()


def test_an_empty_reason_is_left_out() -> None:
    table = pd.DataFrame({"reason_1": ["a", "", "c"], "reason_2": ["b", "", ""]})
    assert as_lists(table) == [["a", "b"], [], ["c"]]


def test_features_without_template_get_the_generic_sentence(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    rows = frame.head(3).assign(orders_30d=0.0)
    words = say(trained, rows, typical, count=5).agg(" | ".join, axis=1)
    assert words.str.contains(r"orders in the last 30 days: 0 \(typical 3\) \(raises\)").all()
    assert words.str.contains(r"noise: -?\d \(typical -?\d\)").all()


def test_a_missing_number_falls_back_to_the_plain_sentence(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    rows = frame.head(1).assign(days_since_last_order=70.0, gap_mean=np.nan)
    words = " | ".join(say(trained, rows, typical, count=5).iloc[0])
    assert "days since the last order: 70 (raises)" in words
    assert "gap mean: not known" in words


def test_a_template_that_names_an_absent_column_is_an_error(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    bad = {"days_since_last_order": Phrase("away", "{value} of {ghost}")}
    with pytest.raises(KeyError, match="ghost"):
        explain(trained.model, frame.head(50), bad, typical)


def test_contributions_add_up_to_the_score(trained: TrainedModel, frame: pd.DataFrame) -> None:
    rows = frame.head(300)
    probability = trained.predict(rows)
    raw = np.log(probability / (1 - probability))
    rest = raw - trained.model.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-8)


def test_reasons_keep_the_index_and_take_no_rows(
    trained: TrainedModel, frame: pd.DataFrame, typical: dict[str, float]
) -> None:
    rows = frame.sample(7, random_state=1)
    assert say(trained, rows, typical).index.equals(rows.index)
    assert say(trained, rows.iloc[:0], typical).shape == (0, 3)


def test_zero_contributions_are_no_reason() -> None:
    chosen = strongest(np.array([[0.0, -2.0, 1.0], [0.0, 0.0, 0.0]]), 3)
    assert chosen.tolist() == [[1, 2, -1], [-1, -1, -1]]
