"""Laws of a customer's own habit, and of the forest that is kept as arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.anomalies_habit import RATES, deviations, habit_findings, past_deviations
from ml.habit_forest import HabitForest, compressed, fit_forest

USUAL_AMOUNT = 80.0


def days_of(customers: int = 120, days: int = 30, seed: int = 5) -> pd.DataFrame:
    """Ordinary days: every customer has rates of their own."""
    generator = np.random.default_rng(seed)
    own = generator.gamma(2, 2, (customers, 1, len(RATES)))
    values = generator.poisson(own, (customers, days, len(RATES))).reshape(-1, len(RATES))
    frame = pd.DataFrame(values.astype(float), columns=list(RATES))
    frame["revenue"] *= 40
    frame["customer_key"] = np.repeat([f"c{number:03d}" for number in range(customers)], days)
    frame["activity_date"] = np.tile(pd.date_range("2026-01-01", periods=days), customers)
    frame["first_at"] = frame["activity_date"] + pd.Timedelta(hours=9)
    frame["last_at"] = frame["activity_date"] + pd.Timedelta(hours=18)
    return frame


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    return days_of()


@pytest.fixture(scope="module")
def forest(days: pd.DataFrame) -> HabitForest:
    return fit_forest(past_deviations(days, USUAL_AMOUNT), seed=7)


def split(days: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    last = days["activity_date"] == days["activity_date"].max()
    return days[last].reset_index(drop=True), days[~last]


def test_the_forest_scores_like_the_one_it_was_made_from(days: pd.DataFrame) -> None:
    from sklearn.ensemble import IsolationForest

    rows = past_deviations(days, USUAL_AMOUNT)
    model = IsolationForest(n_estimators=100, max_samples=256, random_state=7, n_jobs=1)
    expected = -model.fit(compressed(rows)).score_samples(compressed(rows))
    assert fit_forest(rows, seed=7).score(rows) == pytest.approx(expected, abs=1e-6)


def test_a_forest_survives_being_written(days: pd.DataFrame, forest: HabitForest) -> None:
    rows = past_deviations(days, USUAL_AMOUNT)[:50]
    again = HabitForest.from_bytes(forest.to_bytes())
    assert (again.score(rows) == forest.score(rows)).all()
    assert again.limit == forest.limit


def test_ordinary_days_are_not_told(days: pd.DataFrame, forest: HabitForest) -> None:
    for back in range(5):
        until = days["activity_date"].max() - pd.Timedelta(days=back)
        assert (
            habit_findings(*split(days[days["activity_date"] <= until]), forest, USUAL_AMOUNT) == []
        )


@pytest.mark.parametrize("rate", ["events", "orders", "product_views", "revenue"])
def test_a_day_far_above_the_own_ones_is_told(
    days: pd.DataFrame, forest: HabitForest, rate: str
) -> None:
    today, before = split(days)
    today.loc[3, [rate, "carts_added", "searches"]] = 100_000 if rate == "revenue" else 500
    (found,) = habit_findings(today, before, forest, USUAL_AMOUNT)
    assert found.subject == today.loc[3, "customer_key"]
    assert found.kind == "unusual_behaviour"
    assert found.score > 1


def test_who_always_does_much_is_not_told_for_much(days: pd.DataFrame, forest: HabitForest) -> None:
    busy = days.copy()
    rates = [rate for rate in RATES if rate != "revenue"]
    busy.loc[busy["customer_key"] == "c003", rates] += 500
    assert habit_findings(*split(busy), forest, USUAL_AMOUNT) == []


def test_one_odd_day_in_the_past_changes_little(days: pd.DataFrame) -> None:
    today, before = split(days)
    plain = deviations(today, before, USUAL_AMOUNT)
    spoilt = before.copy()
    spoilt.loc[spoilt.groupby("customer_key").head(1).index, "events"] = 10_000
    assert (plain["events"] - deviations(today, spoilt, USUAL_AMOUNT)["events"]).abs().max() < 30
    mean_based = (today["events"].mean() - spoilt["events"].mean()) / spoilt["events"].std()
    assert mean_based < 0


def test_customers_without_a_habit_are_left_out(days: pd.DataFrame) -> None:
    today, before = split(days[days["activity_date"] < "2026-01-06"])
    assert deviations(today, before, USUAL_AMOUNT).empty


def test_other_customers_do_not_matter(days: pd.DataFrame) -> None:
    today, before = split(days)
    alone = deviations(today.head(1), before, USUAL_AMOUNT)
    pd.testing.assert_frame_equal(alone, deviations(today, before, USUAL_AMOUNT).loc[alone.index])
