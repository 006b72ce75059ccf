"""Calibration mends level and slope, and never the ranking."""

from __future__ import annotations

import numpy as np
import pytest
from known_market import market

from ml.baselines import RecencyBaseline, SpendBaseline
from ml.calibration import level_log, level_logit, platt_slope

RNG = np.random.default_rng(0)
RAW = RNG.normal(0, 1, 20_000)
LABEL = (RNG.random(20_000) < 1 / (1 + np.exp(-RAW))).astype(float)


def test_calibrated_scores_are_left_alone() -> None:
    assert platt_slope(RAW, LABEL) == pytest.approx(1, abs=0.03)
    assert level_logit(RAW, LABEL) == pytest.approx(0, abs=0.03)


def test_overconfident_scores_are_flattened_and_timid_ones_stretched() -> None:
    assert platt_slope(1.6 * RAW, LABEL, trust=1) == pytest.approx(1 / 1.6, abs=0.03)
    assert platt_slope(0.7 * RAW, LABEL, trust=1) == pytest.approx(1 / 0.7, abs=0.05)


def test_a_reversed_score_is_never_turned_round() -> None:
    assert platt_slope(-RAW, LABEL, trust=1) > 0


def test_level_makes_the_mean_probability_the_mean_label() -> None:
    shift = level_logit(RAW + 0.4, LABEL, trust=1)
    assert shift == pytest.approx(-0.4, abs=0.04)
    mean = np.mean(1 / (1 + np.exp(-(RAW + 0.4 + shift))))
    assert mean == pytest.approx(LABEL.mean(), abs=1e-6)


def test_no_information_is_no_calibration() -> None:
    assert platt_slope(np.zeros(50), LABEL[:50]) == 1
    assert platt_slope(RAW[:50], np.ones(50)) == 1
    assert abs(level_logit(RAW[:50], np.ones(50))) <= 1
    assert level_log(np.ones(5), np.zeros(5)) == 0


def test_level_of_values_is_the_ratio_of_the_sums() -> None:
    assert level_log(np.ones(10), np.full(10, 1.5), trust=1) == pytest.approx(np.log(1.5))


def test_recency_baseline_is_monotone_and_finds_its_direction() -> None:
    frame = market(100)
    label = frame["label"].to_numpy(dtype=float)
    days = frame.head(50).assign(days_since_last_order=np.arange(50.0) * 2)
    churn = RecencyBaseline("days_since_last_order").fit(frame, label).predict(days)
    purchase = RecencyBaseline("days_since_last_order").fit(frame, 1 - label).predict(days)
    assert np.all(np.diff(churn) >= 0)
    assert np.all(np.diff(purchase) <= 0)
    assert churn[-1] > churn[0]


def test_spend_baseline_keeps_the_aggregate_and_takes_no_spend_as_none() -> None:
    frame = market(100)
    value = frame["revenue_90d"].to_numpy() * 0.4
    baseline = SpendBaseline("revenue_90d").fit(frame, value)
    assert baseline.predict(frame).sum() == pytest.approx(value.sum())
    assert baseline.predict(frame.head(1).assign(revenue_90d=np.nan)).tolist() == [0]
