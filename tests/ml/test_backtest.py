"""Laws of the rolling-origin evaluation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from known_market import HORIZON, market

from ml.backtest import Backtest, backtest, choose_origins, draw_customers
from ml.churn import CHURN
from ml.evaluation import decile_table
from ml.splits import NotEnoughHistory
from ml.trained import TrainedModel
from ml.value import VALUE

DATES = pd.date_range("2024-01-01", periods=11, freq="14D")
OPTIONS = {"horizon_days": HORIZON, "num_threads": 1}


@pytest.fixture(scope="module")
def long() -> pd.DataFrame:
    return market(250, dates=DATES)


@pytest.fixture(scope="module")
def found(long: pd.DataFrame) -> Backtest:
    return backtest(long, CHURN, **OPTIONS, rounds=60)


def test_every_customer_of_every_origin_is_predicted_once(
    found: Backtest, long: pd.DataFrame
) -> None:
    assert len(found.origins) == 4
    assert found.origins[-1] == DATES[-1]
    keys = found.predictions[["origin", "customer_key"]]
    assert not keys.duplicated().any()
    assert len(keys) == long["as_of"].isin(found.origins).sum()
    assert (found.predictions["origin"] == found.predictions["as_of"]).all()
    assert found.models[0] == "model"
    assert {"logistic", "recency"} <= set(found.models)


def test_models_of_all_origins_look_at_the_same_features(found: Backtest) -> None:
    stability = found.stability
    assert stability is not None
    assert stability.models == 4
    assert stability.rank_correlation > 0.6
    first = found.importance.groupby("origin").first()["feature"]
    assert set(first) <= {"days_since_last_order", "orders_30d"}


def test_label_windows_of_origins_do_not_overlap_where_history_allows(long: pd.DataFrame) -> None:
    apart = np.diff(choose_origins(long, HORIZON, 4))
    assert (apart == pd.Timedelta(days=28)).all()
    closer = np.diff(choose_origins(long, HORIZON, 7))
    assert (closer == pd.Timedelta(days=14)).all()


def test_too_short_a_history_says_how_many_dates_can_be_judged(long: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughHistory, match="8 of 11 as-of dates can be judged, not 9"):
        choose_origins(long, HORIZON, 9)


def test_nothing_unknown_at_an_origin_changes_its_predictions(long: pd.DataFrame) -> None:
    origin = choose_origins(long, HORIZON, 2)[0]
    unknown = long["as_of"] + pd.Timedelta(days=HORIZON) > origin
    lies = long.assign(label=np.where(unknown, 1 - long["label"], long["label"]))
    lies.loc[lies["as_of"] > origin, "days_since_last_order"] = 0.0
    first, second = (
        backtest(each, CHURN, **OPTIONS, origins=2, rounds=2).predictions for each in (long, lies)
    )
    at_origin = [each[each["origin"] == origin]["model"] for each in (first, second)]
    pd.testing.assert_series_equal(*at_origin)


def test_newest_origin_is_what_training_judges(trained: TrainedModel, frame: pd.DataFrame) -> None:
    found = backtest(frame, CHURN, horizon_days=HORIZON, origins=1, rounds=2)
    pd.testing.assert_frame_equal(
        found.predictions.drop(columns="origin"), trained.test_predictions
    )


def test_order_of_rows_does_not_matter(found: Backtest, long: pd.DataFrame) -> None:
    again = backtest(long.sample(frac=1, random_state=3), CHURN, **OPTIONS, rounds=60)
    pd.testing.assert_frame_equal(again.pooled, found.pooled)


def test_pooled_figures_bracket_and_the_model_beats_recency(found: Backtest) -> None:
    auc = found.pooled[found.pooled["metric"] == "roc_auc"]
    assert ((auc["low"] < auc["value"]) & (auc["value"] < auc["high"])).all()
    versus = found.differences.set_index(["baseline", "metric"])
    assert versus.loc[("recency", "roc_auc"), "verdict"] == "better"
    assert versus.loc[("logistic", "roc_auc"), "difference"] > -0.02  # the market's law is linear
    assert set(found.by_origin["origin"]) == set(found.origins)


def test_pooling_narrows_the_interval_of_one_origin(found: Backtest) -> None:
    def width(table: pd.DataFrame) -> float:
        row = table[(table["model"] == "model") & (table["metric"] == "roc_auc")]
        return float((row["high"] - row["low"]).mean())

    assert width(found.pooled) < 0.8 * width(found.by_origin)


def test_capped_rows_are_whole_customers_and_nested(long: pd.DataFrame) -> None:
    few, more = (draw_customers(long, cap, 1) for cap in (500, 1_200))
    assert len(few) <= 500 < len(more) <= 1_200
    assert set(few["customer_key"]) < set(more["customer_key"])
    assert (few.groupby("customer_key").size() == len(DATES)).all()
    assert set(draw_customers(long, 500, 2)["customer_key"]) != set(few["customer_key"])
    assert draw_customers(long, len(long), 1) is long


def test_value_is_judged_too(long: pd.DataFrame) -> None:
    rng = np.random.default_rng(4)
    spend = long["revenue_90d"] * rng.lognormal(0, 0.4, len(long)) * (rng.random(len(long)) < 0.5)
    found = backtest(
        long.assign(label=spend),
        VALUE,
        **OPTIONS,
        origins=2,
        rounds=20,
    )
    gini = found.pooled.query("model == 'model' and metric == 'gini'")["value"].item()
    assert gini > 0.3
    deciles = decile_table(found.predictions["label"], found.predictions["model"])
    assert deciles["rows"].sum() == len(found.predictions)
    assert (np.diff(deciles["predicted_mean"]) <= 0).all()
    assert deciles["observed_sum"].sum() == pytest.approx(found.predictions["label"].sum())
    assert deciles["observed_mean"].iloc[0] > 2 * deciles["observed_mean"].iloc[-1]
