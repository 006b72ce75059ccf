"""A reference is beaten, or better, only where the whole interval says so."""

from __future__ import annotations

import pandas as pd
import pytest

from ml.references import AgainstReference, against_best

ROWS = {
    "strong": {"roc_auc": 0.75, "brier": 0.20, "aggregate_ratio": 1.10},
    "weak": {"roc_auc": 0.60, "brier": 0.25, "aggregate_ratio": 0.80},
    "partial": {"roc_auc": 0.70},
}


def standing(metric: str, value: float, low: float, high: float, best: float) -> str:
    return AgainstReference(metric, value, low, high, best, "strong").standing


@pytest.mark.parametrize(
    ("metric", "better", "worse"),
    [
        ("roc_auc", (0.80, 0.78, 0.82), (0.70, 0.68, 0.72)),
        ("brier", (0.60, 0.58, 0.62), (0.80, 0.78, 0.82)),
        ("aggregate_ratio", (1.02, 0.98, 1.06), (1.40, 1.35, 1.45)),
    ],
)
def test_better_and_worse_follow_the_direction_of_the_measure(
    metric: str, better: tuple[float, ...], worse: tuple[float, ...]
) -> None:
    assert standing(metric, *better, 0.75) == "better"
    assert standing(metric, *worse, 0.75) == "worse"
    assert standing(metric, 0.74, 0.72, 0.75, 0.75) == "within the interval"


def test_each_measure_meets_the_best_reference_that_has_it() -> None:
    figures = pd.DataFrame(
        {
            "metric": ["roc_auc", "brier", "aggregate_ratio", "ece"],
            "value": [0.74, 0.18, float("nan"), 0.02],
            "low": [0.72, 0.17, 0.0, 0.01],
            "high": [0.76, 0.19, 0.0, 0.03],
        }
    )
    auc, brier = against_best(figures, ROWS)
    assert (auc.model, auc.best, auc.standing) == ("strong", 0.75, "within the interval")
    assert (brier.model, brier.best, brier.standing) == ("strong", 0.20, "better")
    assert str(auc) == (
        "ROC AUC 0.740 (0.720 to 0.760): within the interval, 0.010 worse than the best reference, "
        "0.750 (strong)."
    )
    assert "0.180 (0.170 to 0.190): better than the best reference, 0.200" in str(brier)


def test_a_sum_is_best_at_one_and_not_where_it_is_highest() -> None:
    figures = pd.DataFrame(
        {"metric": ["aggregate_ratio"], "value": [0.5], "low": [0.4], "high": [0.6]}
    )
    (found,) = against_best(figures, ROWS | {"high": {"aggregate_ratio": 1.5}})
    assert (found.model, found.standing) == ("strong", "worse")
