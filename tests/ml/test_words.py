"""Every figure that people see has its name in words, at one place."""

from __future__ import annotations

import numpy as np

from ml.evaluation import PROBABILITY_METRICS, VALUE_METRICS
from ml.intervals import Difference
from ml.resampling import goodness
from ml.tasks import EVENT_TASKS, QUESTIONS
from ml.trained import Verdict
from ml.weighted import WEIGHTED_METRICS
from ml.words import MEASURES, MODELS


def test_every_measure_and_baseline_has_words() -> None:
    named = {*PROBABILITY_METRICS, *VALUE_METRICS, *WEIGHTED_METRICS, "coverage_80", "above_high"}
    assert named <= set(MEASURES)
    baselines = {name for task in EVENT_TASKS.values() for name in task.baselines}
    baselines |= {task.simplest for task in QUESTIONS.values()} | {"logistic", "bgnbd"}
    assert baselines <= set(MODELS)
    for measure in MEASURES.values():
        assert "_" not in measure.words + measure.meaning
    assert len({measure.words for measure in MEASURES.values()}) == len(MEASURES)


def test_a_measure_says_which_figures_are_good() -> None:
    figures = np.array([0.8, 1.3])
    assert goodness("roc_auc", figures).argmax() == 1
    assert goodness("brier", figures).argmax() == 0
    assert goodness("aggregate_ratio", figures).argmax() == 0


def test_a_verdict_is_said_in_words() -> None:
    said = str(Verdict("bgnbd_spend", "gini", Difference(0.02, 0.01, 0.03)))
    assert said == (
        "better than BG/NBD with Gamma-Gamma on normalised Gini: +0.0200 (+0.0100 to +0.0300)"
    )
    assert "than churn:3 on ROC AUC" in str(Verdict("churn:3", "roc_auc", Difference(1, 1, 1)))
