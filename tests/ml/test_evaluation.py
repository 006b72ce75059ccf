"""Metrics equal scikit-learn's, and intervals tell skill from luck."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from ml import evaluation, intervals

RNG = np.random.default_rng(3)
LABEL = (RNG.random(800) < 0.3).astype(float)
SCORE = np.clip(0.3 + 0.25 * (LABEL - 0.3) + RNG.normal(0, 0.2, 800), 0.01, 0.99).round(2)
VALUE = np.where(RNG.random(800) < 0.4, RNG.lognormal(4, 1, 800), 0.0)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (evaluation.roc_auc, reference.roc_auc_score),
        (evaluation.average_precision, reference.average_precision_score),
        (evaluation.log_loss, reference.log_loss),
        (evaluation.brier_score, reference.brier_score_loss),
    ],
)
def test_metrics_with_ties_equal_scikit_learn(ours, theirs) -> None:  # type: ignore[no-untyped-def]
    assert ours(LABEL, SCORE) == pytest.approx(theirs(LABEL, SCORE), abs=1e-12)


def test_value_metrics_equal_scikit_learn_and_scipy() -> None:
    predicted = VALUE * 0.5 + RNG.gamma(2, 10, 800)
    assert evaluation.mean_absolute_error(VALUE, predicted) == pytest.approx(
        reference.mean_absolute_error(VALUE, predicted)
    )
    assert evaluation.root_mean_squared_error(VALUE, predicted) == pytest.approx(
        reference.root_mean_squared_error(VALUE, predicted)
    )
    assert evaluation.spearman(VALUE, predicted) == pytest.approx(
        stats.spearmanr(VALUE, predicted)[0]
    )


def test_random_scores_have_an_auc_interval_that_covers_one_half() -> None:
    random = np.random.default_rng(0).random(800)
    spread = intervals.bootstrap_auc(LABEL, random, 500, seed=1)
    low, high = np.quantile(spread, [0.025, 0.975])
    assert low < 0.5 < high
    skilled = intervals.bootstrap_auc(LABEL, SCORE, 500, seed=1)
    assert np.quantile(skilled, 0.025) > 0.5


def test_vectorised_bootstrap_equals_the_resampled_auc() -> None:
    rows = intervals.bootstrap_rows(800, 20, seed=5)
    slow = [evaluation.roc_auc(LABEL[i], SCORE[i]) for i in rows]
    np.testing.assert_allclose(intervals.bootstrap_auc(LABEL, SCORE, 20, seed=5), slow)


def test_bootstrap_in_parts_equals_bootstrap_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals.bootstrap_auc(LABEL, SCORE, 30, seed=2)
    monkeypatch.setattr(intervals, "CELLS", 4000)
    np.testing.assert_array_equal(intervals.bootstrap_auc(LABEL, SCORE, 30, seed=2), whole)


def test_perfect_calibration_has_no_calibration_error_and_a_shift_has_it() -> None:
    probability = np.repeat([0.25, 0.5, 0.75], 400)
    label = np.concatenate([np.arange(400) < 400 * p for p in (0.25, 0.5, 0.75)]).astype(float)
    assert evaluation.expected_calibration_error(label, probability) == pytest.approx(0)
    shifted = evaluation.expected_calibration_error(label, probability + 0.2)
    assert shifted == pytest.approx(0.2)


def test_identical_models_differ_by_exactly_zero() -> None:
    same = intervals.paired_auc_difference(LABEL, SCORE, SCORE)
    assert (same.value, same.low, same.high) == (0, 0, 0)
    assert same.verdict == "no different"


def test_a_better_model_is_told_from_a_random_one_and_the_reverse() -> None:
    random = np.random.default_rng(1).random(800)
    assert intervals.paired_auc_difference(LABEL, SCORE, random).verdict == "better"
    assert intervals.paired_auc_difference(LABEL, random, SCORE).verdict == "worse"


def test_pairing_narrows_the_interval_of_like_models() -> None:
    other = SCORE + np.random.default_rng(2).normal(0, 0.02, 800)
    paired = intervals.paired_auc_difference(LABEL, SCORE, other)
    alone = np.quantile(intervals.bootstrap_auc(LABEL, SCORE), [0.025, 0.975])
    assert paired.high - paired.low < 0.5 * (alone[1] - alone[0])


def test_lift_of_the_oracle_is_the_inverse_rate_and_of_a_constant_nothing_special() -> None:
    label = np.tile([1.0, 0, 0, 0, 0], 100)
    assert evaluation.lift(label, label, 0.2) == pytest.approx(5)
    assert evaluation.lift(label, np.zeros(500), 0.2) == pytest.approx(1)


def test_oracle_has_gini_one_and_its_reverse_is_negative() -> None:
    assert evaluation.normalised_gini(VALUE, VALUE) == pytest.approx(1)
    assert evaluation.normalised_gini(VALUE, -VALUE) < 0
    assert evaluation.aggregate_ratio(VALUE, 2 * VALUE) == pytest.approx(2)
    assert evaluation.top_share(VALUE, VALUE) > evaluation.top_share(VALUE, -VALUE)


def test_metrics_table_brackets_every_figure() -> None:
    table = evaluation.metrics_table(LABEL, {"a": SCORE, "b": 1 - SCORE}, seed=0, rounds=100)
    assert len(table) == 2 * len(evaluation.PROBABILITY_METRICS)
    auc = table[table["metric"] == "roc_auc"]
    assert ((auc["low"] < auc["value"]) & (auc["value"] < auc["high"])).all()


def test_undefined_metrics_are_nan_and_bad_input_an_error() -> None:
    assert np.isnan(evaluation.roc_auc(np.ones(5), np.arange(5)))
    assert np.isnan(evaluation.spearman(np.ones(5), np.arange(5)))
    with pytest.raises(ValueError, match="0 or 1"):
        evaluation.roc_auc([0, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="finite"):
        evaluation.brier_score([0, 1], [0.1, np.nan])
