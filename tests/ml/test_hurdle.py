"""Laws of the value model in two steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_market import HORIZON, market

from ml.blend import BlendModel
from ml.classifier import train
from ml.hurdle import HurdleModel
from ml.trained import TrainedModel
from ml.value import VALUE


def spending(buyers: float | None = None, customers: int = 400) -> pd.DataFrame:
    """A market where recency decides whether, and past spend how much, a customer buys."""
    frame = market(customers)
    rng = np.random.default_rng(4)
    odds = 0.08 * (18 - frame["days_since_last_order"])
    chance = 1 / (1 + np.exp(-odds)) if buyers is None else buyers
    amount = (20 + frame["revenue_90d"]) * rng.lognormal(0, 0.4, len(frame))
    return frame.assign(label=np.where(rng.random(len(frame)) < chance, amount, 0.0))


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return spending()


@pytest.fixture(scope="module")
def valued(frame: pd.DataFrame) -> TrainedModel:
    return train(frame, VALUE, horizon_days=HORIZON, num_threads=1)


@pytest.fixture(scope="module")
def hurdle(valued: TrainedModel) -> HurdleModel:
    assert isinstance(valued.model, HurdleModel)
    return valued.model


def test_the_value_is_the_chance_times_the_amount(
    valued: TrainedModel, hurdle: HurdleModel, frame: pd.DataFrame
) -> None:
    both = hurdle.buys.predict(frame) * hurdle.amount.predict(frame)
    np.testing.assert_allclose(valued.predict(frame), both, rtol=1e-9)
    assert 0.85 < valued.metric("aggregate_ratio") < 1.15


def test_each_part_learns_its_own_cause(hurdle: HurdleModel, frame: pd.DataFrame) -> None:
    rows = frame.head(300)
    lately, long_ago = (rows.assign(days_since_last_order=days) for days in (5.0, 50.0))
    assert hurdle.buys.predict(lately).mean() > 2 * hurdle.buys.predict(long_ago).mean()
    ratio = hurdle.amount.predict(lately).mean() / hurdle.amount.predict(long_ago).mean()
    assert ratio == pytest.approx(1, abs=0.25)
    poor, rich = (rows.assign(revenue_90d=spend) for spend in (30.0, 200.0))
    assert hurdle.amount.predict(rich).mean() > 2 * hurdle.amount.predict(poor).mean()
    chance = hurdle.buys.predict(rich).mean() - hurdle.buys.predict(poor).mean()
    assert abs(chance) < 0.1


def test_the_chance_is_calibrated(hurdle: HurdleModel, frame: pd.DataFrame) -> None:
    said = hurdle.buys.predict(frame)
    assert said.mean() == pytest.approx((frame["label"] > 0).mean(), abs=0.03)


def test_contributions_add_up_to_the_log_of_the_value(
    valued: TrainedModel, frame: pd.DataFrame
) -> None:
    rows = frame.head(400)
    rest = np.log(valued.predict(rows)) - valued.model.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-8)


def test_a_contribution_has_the_sign_of_what_the_feature_does(
    hurdle: HurdleModel, frame: pd.DataFrame
) -> None:
    """Recency moves the chance only, so its share keeps the sign that it has in the log-odds."""
    position = hurdle.features.index("days_since_last_order")
    rows = frame.head(400)
    odds = hurdle.buys.contributions(rows)[:, position]
    chance = (
        hurdle.contributions(rows)[:, position] - hurdle.amount.contributions(rows)[:, position]
    )
    assert (np.sign(chance) == np.sign(odds)).all()
    assert (np.abs(chance) <= np.abs(odds)).all()


def test_a_mean_customer_has_the_slope_of_the_curve(hurdle: HurdleModel) -> None:
    """Where all contributions cancel the secant is a tangent, and nothing is divided by zero."""
    flat = BlendModel(
        features=hurdle.features,
        trees=hurdle.buys.trees,
        linear=hurdle.buys.linear,
        tree_share=0.0,
        link="logit",
        slope=0.0,
    )
    shares = HurdleModel(flat, hurdle.amount).contributions(market(20))
    np.testing.assert_allclose(shares, hurdle.amount.contributions(market(20)))


def test_a_saved_model_predicts_and_explains_identically(
    valued: TrainedModel, frame: pd.DataFrame, tmp_path: Path
) -> None:
    valued.save(tmp_path)
    loaded = TrainedModel.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict(frame), valued.predict(frame))
    np.testing.assert_array_equal(
        loaded.model.contributions(frame.head(9)), valued.model.contributions(frame.head(9))
    )
    pd.testing.assert_frame_equal(loaded.importance(), valued.importance())
    assert TrainedModel.from_json(valued.to_json()).to_json() == valued.to_json()


def test_importance_names_what_matters(valued: TrainedModel) -> None:
    table = valued.importance()
    assert set(table["feature"].head(2)) == {"days_since_last_order", "revenue_90d"}
    assert table["gain"].sum() == pytest.approx(1)


def test_where_hardly_anyone_or_everyone_buys_one_step_is_enough() -> None:
    for share in (0.03, 1.0):
        model = train(spending(share, customers=200), VALUE, horizon_days=HORIZON, num_threads=1)
        assert isinstance(model.model, BlendModel)
        assert np.isfinite(model.predict(market(20))).all()
        assert model.spread is not None
