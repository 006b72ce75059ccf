"""Pictures are PNG, repeatable, and leave matplotlib's global state alone."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml import plots
from ml.profit import CostTable, profit_curve
from ml.trained import TrainedModel

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("draw", [plots.roc_png, plots.reliability_png, plots.lift_png])
def test_model_pictures_are_repeatable_png(
    draw: Callable[..., bytes], trained: TrainedModel
) -> None:
    table = trained.test_predictions
    scores = {name: table[name] for name in ("model", "logistic", "recency")}
    first = draw(table["label"], scores, "Churn in 28 days, as of 2024-04-22")
    assert first.startswith(PNG)
    assert draw(table["label"], scores, "Churn in 28 days, as of 2024-04-22") == first
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


@pytest.mark.parametrize("cost", [0.0, 1.0, 99.0])
def test_profit_picture_takes_contacts_that_always_sometimes_and_never_pay(
    cost: float, trained: TrainedModel
) -> None:
    table, costs = trained.test_predictions, CostTable(cost, 20.0, 0.2)
    curve = profit_curve(table["label"], table["model"], costs)
    first = plots.profit_png(curve, costs.threshold, "Churn in 28 days", "GBP")
    assert first.startswith(PNG)
    assert plots.profit_png(curve, costs.threshold, "Churn in 28 days", "GBP") == first


@pytest.mark.parametrize("segments", [1, 9])
def test_segment_picture_takes_few_and_many_segments(segments: int) -> None:
    profile = pd.DataFrame(
        {
            "segment_id": range(segments),
            "segment_name": [f"group {i}" for i in range(segments)],
            "customers": 10,
            "share": 1 / segments,
            "mean_recency": np.nan,
            "mean_frequency": 2.0,
            "mean_monetary": 30.0,
        }
    )
    assert plots.segments_png(profile, "Segments as of 2024-04-22", "GBP").startswith(PNG)
