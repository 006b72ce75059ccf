"""Laws of the interval about an expected value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from known_market import HORIZON, market

from ml.churn import CHURN
from ml.classifier import train
from ml.trained import TrainedModel
from ml.value import VALUE
from ml.value_interval import ValueInterval, coverage_table, fit_value_interval

Array = npt.NDArray[np.float64]


def outcomes(
    n: int, seed: int, silent: float = 0.0, shape: float = 2.0
) -> tuple[Array, Array, Array]:
    """Predictions over three orders of magnitude, outcomes of that mean, and each one's law.

    The last column is the true 90 % quantile.
    """
    from scipy.stats import gamma

    rng = np.random.default_rng(seed)
    mean = np.exp(rng.uniform(1, 8, n))
    scale = mean / shape / (1 - silent)
    value = np.where(rng.random(n) < silent, 0.0, rng.gamma(shape, scale))
    return mean, value, scale * gamma.ppf(1 - 0.1 / (1 - silent), shape)


def test_eight_of_ten_who_buy_for_sure_are_covered_at_every_size() -> None:
    interval = fit_value_interval(*outcomes(4_000, 0)[:2])
    predicted, value, _ = outcomes(20_000, 1)
    low, high = interval.ends(predicted)
    for part in np.array_split(np.argsort(predicted), 5):
        inside = (value[part] >= low[part]) & (value[part] <= high[part])
        assert inside.mean() == pytest.approx(0.8, abs=0.05)
        assert (value[part] < low[part]).mean() == pytest.approx(0.1, abs=0.04)


def test_the_high_end_is_the_quantile_of_the_law() -> None:
    interval = fit_value_interval(*outcomes(40_000, 0, silent=0.4)[:2])
    predicted, _, truth = outcomes(500, 1, silent=0.4)
    high = interval.ends(predicted)[1]
    assert np.median(np.abs(high / truth - 1)) < 0.06


def test_where_many_buy_nothing_low_is_zero_and_one_in_ten_spends_more() -> None:
    interval = fit_value_interval(*outcomes(4_000, 0, silent=0.5)[:2])
    predicted, value, _ = outcomes(10_000, 1, silent=0.5)
    low, high = interval.ends(predicted)
    assert (low == 0).all()
    assert (value > high).mean() == pytest.approx(0.1, abs=0.02)
    table = coverage_table(interval, predicted, value, seed=0).set_index("metric")
    assert table.loc["coverage_80", "value"] == pytest.approx(1 - (value > high).mean())
    assert table.loc["coverage_80", "low"] < 0.9 < table.loc["coverage_80", "high"] + 0.02


def test_the_mean_may_lie_above_a_heavy_tails_interval() -> None:
    predicted = np.full(1_000, 10.0)
    value = np.r_[np.zeros(950), np.full(50, 200.0)]
    low, high = fit_value_interval(predicted, value).ends(np.array([10.0]))
    assert low[0] == high[0] == 0 < 10


@pytest.mark.parametrize("n", [1, 8, 60, 5_000])
def test_ends_rise_with_the_prediction_and_never_cross(n: int) -> None:
    interval = fit_value_interval(*outcomes(n, 3, silent=0.2, shape=0.5)[:2])
    low, high = interval.ends(np.exp(np.linspace(-30, 30, 400)))
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()
    assert (low >= 0).all()
    assert (low <= high).all()
    assert np.isfinite(high).all()


def test_the_order_of_rows_does_not_matter_even_among_ties() -> None:
    predicted, value, _ = outcomes(1_000, 6, silent=0.3)
    tied = predicted.round(-2) + 1
    shuffled = np.random.default_rng(0).permutation(1_000)
    a, b = (fit_value_interval(tied[rows], value[rows]) for rows in (np.arange(1_000), shuffled))
    np.testing.assert_allclose(a.knots, b.knots)
    np.testing.assert_array_equal(a.high, b.high)


def test_ends_follow_the_unit_of_money() -> None:
    predicted, value, _ = outcomes(2_000, 4, silent=0.3)
    pounds, pence = (fit_value_interval(predicted * k, value * k) for k in (1, 100))
    for ours, theirs in zip(pence.ends(predicted * 100), pounds.ends(predicted), strict=True):
        np.testing.assert_allclose(ours, 100 * theirs, rtol=1e-9)


def test_coverage_falls_when_outcomes_move_away() -> None:
    interval = fit_value_interval(*outcomes(4_000, 0)[:2])
    predicted, value, _ = outcomes(4_000, 1)
    moved = coverage_table(interval, predicted, value * 4, seed=0)["value"].iloc[0]
    assert moved < 0.5


def test_no_outcomes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(have 0, 0\)"):
        fit_value_interval(np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match=r"\(have 2, 1\)"):
        fit_value_interval(np.ones(2), np.ones(1))


@pytest.fixture(scope="module")
def valued() -> TrainedModel:
    frame = market(400)
    rng = np.random.default_rng(4)
    spend = frame["revenue_90d"] * rng.lognormal(0, 0.4, len(frame))
    bought = rng.random(len(frame)) < 0.7
    return train(
        frame.assign(label=np.where(bought, spend, 0)), VALUE, horizon_days=HORIZON, num_threads=1
    )


def test_a_value_model_tells_its_interval_and_how_often_it_held(
    valued: TrainedModel, tmp_path: Path
) -> None:
    frame = market(50, seed=5)
    low, high = valued.interval(frame)
    assert low.shape == high.shape == (len(frame),)
    assert (low <= high).all()
    assert 0.84 < valued.metric("coverage_80") < 0.96
    assert 0.05 < valued.metric("above_high") < 0.16
    valued.save(tmp_path)
    again = TrainedModel.load(tmp_path)
    np.testing.assert_array_equal(again.interval(frame)[1], high)
    assert again.to_json() == valued.to_json()


def test_coverage_is_judged_by_what_the_test_cutoff_did_not_teach(valued: TrainedModel) -> None:
    """The interval in use has learnt from the test cutoff; the one judged has not."""
    assert valued.spread is not None
    tested = valued.test_predictions
    in_use = coverage_table(
        valued.spread, tested["model"].to_numpy(), tested["label"].to_numpy(), seed=0
    )
    assert in_use["value"].iloc[0] != valued.metric("coverage_80")


def test_a_probability_has_no_interval() -> None:
    frame = market(150)
    model = train(frame, CHURN, horizon_days=HORIZON, num_threads=1)
    assert model.spread is None
    with pytest.raises(ValueError, match="this churn model has no interval"):
        model.interval(frame)


def test_an_interval_is_plain_numbers() -> None:
    interval = fit_value_interval(*outcomes(300, 0)[:2])
    again = ValueInterval.from_dict(interval.to_dict())
    np.testing.assert_array_equal(again.high, interval.high)
