"""Where the business knows a direction, a constrained model keeps to it, and a free one may not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from known_market import HORIZON, market

from ml.churn import CHURN
from ml.classifier import train
from ml.linear import LinearModel, fit_logistic, fit_tweedie
from ml.parameters import DEFAULTS
from ml.trained import TrainedModel
from ml.value import VALUE

FREE = replace(DEFAULTS, is_monotone=False)
BOUND = replace(DEFAULTS, is_monotone=True)
DAYS = np.arange(0, 90, 3.0)


def steps_along(model: TrainedModel, frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """Change of each row's prediction from one value of a column to the next, all else equal."""
    rows = frame.head(150)
    scores = [model.predict(rows.assign(**{column: value}), 1) for value in DAYS]
    return np.diff(np.stack(scores), axis=0)


@pytest.fixture(scope="module")
def weak() -> pd.DataFrame:
    """Recency matters little beside noise, so that a free model finds ups and downs in it."""
    frame = market(200)
    rng = np.random.default_rng(5)
    odds = 0.01 * (frame["days_since_last_order"] - 20) - 0.35 * (frame["orders_30d"] - 3)
    return frame.assign(label=(rng.random(len(frame)) < 1 / (1 + np.exp(-odds))).astype(int))


def test_churn_never_rises_when_only_recency_falls(weak: pd.DataFrame) -> None:
    bound = train(weak, CHURN, horizon_days=HORIZON, parameters=BOUND, num_threads=1)
    steps = steps_along(bound, weak, "days_since_last_order")
    assert steps.min() >= -1e-12
    assert steps.max() > 0.01
    free = train(weak, CHURN, horizon_days=HORIZON, parameters=FREE, num_threads=1)
    assert steps_along(free, weak, "days_since_last_order").min() < -0.005


def test_a_direction_that_the_data_contradict_is_flat_not_followed(weak: pd.DataFrame) -> None:
    wrong = replace(CHURN, directions={"days_since_last_order": -1})
    against = market(200)
    model = train(against, wrong, horizon_days=HORIZON, parameters=BOUND, num_threads=1)
    steps = steps_along(model, against, "days_since_last_order")
    assert steps.max() <= 1e-12
    assert "days_since_last_order" not in set(model.importance().query("gain > 0.01")["feature"])


def test_value_never_falls_when_only_the_spend_of_a_year_rises() -> None:
    frame = market(200)
    frame = frame.assign(revenue_365d=frame["revenue_90d"], revenue_90d=0.0)
    rng = np.random.default_rng(4)
    bought = rng.random(len(frame)) < 0.5
    spend = np.where(bought, frame["revenue_365d"] * rng.lognormal(0, 1, len(frame)), 0)
    spent = frame.assign(label=spend)
    model = train(spent, VALUE, horizon_days=HORIZON, num_threads=1)
    assert model.parameters.is_monotone, "the default of the task"
    steps = steps_along(model, frame, "revenue_365d")
    assert steps.min() >= -1e-9
    assert steps.max() > 0
    free = train(spent, VALUE, horizon_days=HORIZON, parameters=FREE, num_threads=1)
    assert steps_along(free, frame, "revenue_365d").min() < -1e-3


def test_reasons_of_a_constrained_model_still_add_up(weak: pd.DataFrame) -> None:
    model = train(weak, CHURN, horizon_days=HORIZON, parameters=BOUND, num_threads=1).model
    rows = weak.head(100)
    odds = np.log(model.predict(rows) / (1 - model.predict(rows)))
    rest = odds - model.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)


@pytest.mark.parametrize(("fit", "penalty"), [(fit_logistic, 1.0), (fit_tweedie, 0.01)])
def test_linear_coefficients_keep_their_signs(
    fit: Callable[..., LinearModel], penalty: float
) -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(size=2_000)
    matrix = np.column_stack([first, first + 0.3 * rng.normal(size=2_000)])
    odds = 2 * matrix[:, 0] - matrix[:, 1]
    label = (rng.random(2_000) < 1 / (1 + np.exp(-odds))).astype(float)
    free, bound = fit(matrix, label, penalty), fit(matrix, label, penalty, (1, 1))
    assert free.coefficients[1] < 0 < free.coefficients[0]
    assert bound.coefficients[1] == 0 < bound.coefficients[0]
    same = fit(matrix, label, penalty, (1, -1))
    np.testing.assert_array_equal(same.coefficients, free.coefficients)
