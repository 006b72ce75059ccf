"""Repeat purchases after a cutoff, of customers whose rates are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.repeat_purchases import RepeatPurchases, predict_repeat_purchases
from ml.splits import NotEnoughHistory

CUTOFF = pd.Timestamp("1997-10-01")


def purchases(customers: int = 300, seed: int = 0) -> pd.DataFrame:
    """Days with a purchase over a year, at a daily rate of each customer's own."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.7, 0.03, customers)
    start = pd.Timestamp("1997-01-01")
    first = rng.integers(0, 80, customers)
    rows = []
    for number, rate in enumerate(rates):
        bought = np.flatnonzero(rng.random(365) < rate)
        days = np.unique(np.r_[first[number], bought[bought > first[number]]])
        rows.append(pd.DataFrame({"customer_key": f"c{number:03d}", "day": days}))
    found = pd.concat(rows, ignore_index=True)
    found["day"] = start + pd.to_timedelta(found["day"], unit="D")
    return found.assign(amount=rng.gamma(3, 10, len(found)), units=1.0)


@pytest.fixture(scope="module")
def found() -> RepeatPurchases:
    return predict_repeat_purchases(purchases().sample(frac=1, random_state=0), CUTOFF, 90)


def test_everyone_who_had_bought_is_predicted_and_the_level_is_that_of_bgnbd(
    found: RepeatPurchases,
) -> None:
    days = purchases()
    later = days[(days["day"] >= CUTOFF) & (days["day"] < CUTOFF + pd.Timedelta(days=90))]
    assert len(found.observed) == days[days["day"] < CUTOFF]["customer_key"].nunique()
    assert found.observed.sum() == len(later)
    assert found.model.sum() == pytest.approx(found.bgnbd.sum())
    table = found.figures(rounds=40).table().set_index(["model", "metric"])
    assert table.loc[("model", "correlation"), "value"] > 0.5
    assert table.loc[("bgnbd", "aggregate_ratio"), "value"] == pytest.approx(1, abs=0.25)
    own = table.loc[("model", "mae")]
    assert own["low"] < own["value"] < own["high"]


def test_nothing_after_the_cutoff_moves_a_prediction(found: RepeatPurchases) -> None:
    days = purchases()
    late = days["day"] >= CUTOFF
    other = pd.concat([days[~late], days[late].assign(customer_key="c001", amount=900.0)])
    other = other.drop_duplicates(["customer_key", "day"])
    again = predict_repeat_purchases(other, CUTOFF, 90)
    np.testing.assert_allclose(found.model, again.model)
    np.testing.assert_allclose(found.bgnbd, again.bgnbd)
    assert found.observed.tolist() != again.observed.tolist()


def test_a_history_that_ends_too_early_is_refused() -> None:
    with pytest.raises(NotEnoughHistory, match=r"before the 273 days from 1997-10-01 on are over"):
        predict_repeat_purchases(purchases(20), CUTOFF, 273)
