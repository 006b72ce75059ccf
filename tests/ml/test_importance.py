"""Importance names what moves the scores, says how sure that is, and compares times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.importance import importance_table, stability
from ml.trained import TrainedModel


def test_what_the_market_is_made_of_comes_first_and_noise_last(
    trained: TrainedModel, frame: pd.DataFrame
) -> None:
    table = importance_table(trained.model, frame.tail(400), seed=0)
    assert set(table["feature"][:2]) == {"days_since_last_order", "orders_30d"}
    noise = table.set_index("feature").loc["noise"]
    assert noise["high"] < table["low"][:2].min()
    assert table["importance"].sum() == pytest.approx(1)
    assert ((table["low"] <= table["importance"]) & (table["importance"] <= table["high"])).all()


def test_intervals_narrow_with_customers_and_repeat_with_the_seed(
    trained: TrainedModel, frame: pd.DataFrame
) -> None:
    few, many = (importance_table(trained.model, frame.tail(n), seed=3) for n in (60, 2_000))
    assert (few["high"] - few["low"]).mean() > 2 * (many["high"] - many["low"]).mean()
    pd.testing.assert_frame_equal(few, importance_table(trained.model, frame.tail(60), seed=3))


def test_stability_is_full_for_twins_and_low_for_strangers() -> None:
    names = [f"f{i:02d}" for i in range(40)]
    one = dict(zip(names, np.linspace(1, 0, 40), strict=True))
    reversed_one = dict(zip(names, np.linspace(0, 1, 40), strict=True))
    same = stability([one, one, one])
    assert (same.rank_correlation, same.top_overlap, same.models) == (1, 1, 3)
    other = stability([one, reversed_one])
    assert (other.rank_correlation, other.top_overlap) == (-1, 0)
    mixed = stability([one, one, reversed_one])
    assert mixed.rank_correlation == pytest.approx(-1 / 3)
    assert "3 models of different times" in str(mixed)


def test_stability_needs_two_models_of_the_same_features() -> None:
    with pytest.raises(ValueError, match="two or more models of the same features"):
        stability([{"a": 1.0}])
    with pytest.raises(ValueError, match="two or more models of the same features"):
        stability([{"a": 1.0}, {"b": 1.0}])
