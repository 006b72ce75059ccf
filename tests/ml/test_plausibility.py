"""A feature that sees the label period raises the alarm; honest models do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from known_market import HORIZON

from ml.churn import CHURN
from ml.classifier import train
from ml.plausibility import feature_power, suspicions
from ml.trained import TrainedModel
from ml.value import VALUE


def test_an_honest_model_is_believed(trained: TrainedModel) -> None:
    assert suspicions(trained) == ()
    assert max(trained.feature_power, key=lambda name: trained.feature_power[name]) == (
        "days_since_last_order"
    )


def test_a_feature_that_sees_the_label_period_is_named(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    visits_after = (1 - frame["label"]) * rng.integers(1, 9, len(frame))
    leaking = train(frame.assign(visits=visits_after), CHURN, horizon_days=HORIZON, num_threads=1)
    said = suspicions(leaking)
    assert any("feature visits alone has AUC 1.000" in line for line in said)
    assert any("the model has AUC" in line and "recency" in line for line in said)
    assert not any("days_since_last_order" in line for line in said)
    assert suspicions(leaking, bound=1.0) == ()


def test_a_feature_that_leaks_by_being_null_is_named(frame: pd.DataFrame) -> None:
    days_to_next = np.where(frame["label"] == 1, np.nan, frame["noise"])
    leaking = train(frame.assign(next=days_to_next), CHURN, horizon_days=HORIZON, num_threads=1)
    assert any("feature next alone" in line for line in suspicions(leaking))


def test_a_leak_spread_over_two_features_is_seen_in_the_model(frame: pd.DataFrame) -> None:
    even = np.random.default_rng(2).random(len(frame)) < 0.5
    label = frame["label"].astype(float)
    spread = frame.assign(one=label.where(even, 0.5), two=label.where(~even, 0.5))
    leaking = train(spread, CHURN, horizon_days=HORIZON, num_threads=1)
    said = suspicions(leaking)
    assert len(said) == 1
    assert said[0].startswith("a leak? the model has AUC")


def test_a_leak_of_the_value_is_named(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(3)
    value = frame["revenue_90d"] * rng.lognormal(0, 0.6, len(frame)) + 1
    honest = frame.assign(label=value)
    assert suspicions(train(honest, VALUE, horizon_days=HORIZON, num_threads=1)) == ()
    leaking = train(honest.assign(lifetime=value * 1.2), VALUE, horizon_days=HORIZON, num_threads=1)
    assert any("feature lifetime alone has Spearman 1.000" in s for s in suspicions(leaking))


def test_power_is_free_of_direction_and_half_for_a_constant() -> None:
    label = np.array([0.0, 0, 1, 1])
    matrix = np.array([[1.0, 9, 5], [2, 8, 5], [3, 7, 5], [4, 6, 5]])
    found = feature_power(matrix, label, ("up", "down", "same"), binary=True)
    assert found == {"up": 1.0, "down": 1.0, "same": 0.5}
    assert feature_power(matrix, label, ("up", "down", "same"), binary=False)["same"] == 0


def test_power_survives_saving(trained: TrainedModel) -> None:
    again = TrainedModel.from_json(trained.to_json())
    assert again.feature_power == pytest.approx(dict(trained.feature_power))
