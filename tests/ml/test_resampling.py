"""Weighted metrics are the metrics of the drawn rows; clusters widen intervals as they should."""

from __future__ import annotations

import numpy as np
import pytest

from ml import evaluation
from ml.intervals import bootstrap_weights
from ml.resampling import resample
from ml.weighted import WEIGHTED_METRICS, calibration_slope

RNG = np.random.default_rng(5)
N = 300
LABEL = (RNG.random(N) < 0.4).astype(float)
VALUE = np.where(RNG.random(N) < 0.5, RNG.lognormal(3, 1, N), 0.0)
PROBABILITY = np.clip(0.4 + 0.3 * (LABEL - 0.4) + RNG.normal(0, 0.2, N), 0.01, 0.99)
PREDICTED = VALUE * 0.5 + RNG.gamma(2, 10, N)
DRAWN = RNG.integers(0, N, size=(3, N))
WEIGHTS = np.stack([np.bincount(rows, minlength=N) for rows in DRAWN]).astype(float)


def test_a_weighted_correlation_is_that_of_the_drawn_rows() -> None:
    slow = [np.corrcoef(VALUE[i], PREDICTED[i])[0, 1] for i in DRAWN]
    np.testing.assert_allclose(WEIGHTED_METRICS["correlation"](VALUE, PREDICTED, WEIGHTS), slow)
    assert np.isnan(WEIGHTED_METRICS["correlation"](VALUE, np.ones(N), WEIGHTS)).all()


@pytest.mark.parametrize("name", evaluation.PROBABILITY_METRICS)
def test_weights_equal_drawn_rows_for_probabilities(name: str) -> None:
    slow = [evaluation.PROBABILITY_METRICS[name](LABEL[i], PROBABILITY[i]) for i in DRAWN]
    np.testing.assert_allclose(WEIGHTED_METRICS[name](LABEL, PROBABILITY, WEIGHTS), slow)


@pytest.mark.parametrize("name", evaluation.VALUE_METRICS)
def test_weights_equal_drawn_rows_for_values(name: str) -> None:
    slow = [evaluation.VALUE_METRICS[name](VALUE[i], PREDICTED[i]) for i in DRAWN]
    np.testing.assert_allclose(WEIGHTED_METRICS[name](VALUE, PREDICTED, WEIGHTS), slow)


@pytest.mark.parametrize("name", evaluation.PROBABILITY_METRICS)
def test_tied_scores_equal_the_metric_on_all_rows(name: str) -> None:
    tied = PROBABILITY.round(1)
    whole = WEIGHTED_METRICS[name](LABEL, tied, np.ones((1, N)))
    assert whole[0] == pytest.approx(evaluation.PROBABILITY_METRICS[name](LABEL, tied))


def test_calibration_slope_is_one_for_the_truth_and_half_for_doubled_log_odds() -> None:
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 1.2, 40_000)
    truth = 1 / (1 + np.exp(-odds))
    label = (rng.random(40_000) < truth).astype(float)
    ones = np.ones((1, 40_000))
    assert calibration_slope(label, truth, ones)[0] == pytest.approx(1, abs=0.04)
    extreme = 1 / (1 + np.exp(-2 * odds))
    assert calibration_slope(label, extreme, ones)[0] == pytest.approx(0.5, abs=0.02)


def test_repeated_customers_say_no_more_than_once() -> None:
    once = resample(LABEL, {"model": PROBABILITY}, ["roc_auc"], rounds=300, seed=0).table()
    four = [np.tile(x, 4) for x in (LABEL, PROBABILITY)]
    customer = np.tile(np.arange(N), 4)
    options = {"rounds": 300, "seed": 0}
    rows = resample(four[0], {"model": four[1]}, ["roc_auc"], **options).table()
    clustered = resample(
        four[0], {"model": four[1]}, ["roc_auc"], clusters=customer, **options
    ).table()
    width = [(t["high"] - t["low"]).item() for t in (once, clustered, rows)]
    assert width[1] == pytest.approx(width[0], rel=0.02)
    assert width[2] < 0.6 * width[0]


def test_every_row_of_a_customer_is_drawn_as_often() -> None:
    customer = np.array(["b", "a", "b", "c", "a", "b"])
    weights = np.concatenate(list(bootstrap_weights(6, 50, 1, customer)))
    assert weights.shape == (50, 6)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_differences_point_to_the_better_model_whatever_the_direction_of_the_metric() -> None:
    worse = np.clip(PROBABILITY + RNG.normal(0, 0.4, N), 0.01, 0.99)
    found = resample(
        LABEL,
        {"model": PROBABILITY, "noisy": worse, "twin": PROBABILITY},
        ["roc_auc", "brier", "log_loss"],
        rounds=200,
        seed=0,
    ).differences()
    verdicts = found.groupby("baseline")["verdict"].unique().map(list)
    assert verdicts["noisy"] == ["better"]
    assert verdicts["twin"] == ["no different"]
    assert (found.loc[found["baseline"] == "twin", "difference"] == 0).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="unknown metrics: accuracy"):
        resample(LABEL, {"model": PROBABILITY}, ["accuracy"], rounds=2, seed=0)
    with pytest.raises(ValueError, match="model: scores must be"):
        resample(LABEL, {"model": PROBABILITY[:5]}, ["brier"], rounds=2, seed=0)
