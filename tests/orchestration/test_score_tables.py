"""Scores of a batch of customers: who gets which, and their intervals."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.classifier import train
from ml.reasons import typical_values
from ml.value import VALUE
from orchestration.models import Champion
from orchestration.registry import Version
from orchestration.score_tables import score_features

HORIZON = 28
NOW = datetime(2026, 6, 1)


def history(customers: int = 200, seed: int = 0) -> pd.DataFrame:
    """Rows of (customer, date) whose spend follows what they spent lately."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2026-01-01", periods=7, freq="14D")
    n = customers * len(dates)
    spend = rng.gamma(2.0, 50.0, n)
    return pd.DataFrame(
        {
            "customer_key": np.tile([f"c{i}" for i in range(customers)], len(dates)),
            "as_of": np.repeat(dates.to_numpy().astype("datetime64[us]"), customers),
            "days_since_last_order": rng.uniform(0, 70, n),
            "days_since_last_event": np.nan,
            "revenue_90d": spend,
            "label": np.where(rng.random(n) < 0.6, spend * rng.lognormal(0, 0.5, n), 0.0),
        }
    )


@pytest.fixture(scope="module")
def champion() -> Champion:
    frame = history()
    model = train(frame, VALUE, horizon_days=HORIZON, num_threads=1)
    version = Version("value", 1, Path("."), {})
    return Champion(version, model, typical_values(frame, model.features))


def scored(champion: Champion) -> pd.DataFrame:
    features = history(30, seed=1).drop(columns="label")
    features = features[features["as_of"] == features["as_of"].max()].reset_index(drop=True)
    features = features.assign(segment_id=pd.array([1] * 30, dtype="Int32"), segment_name="loyal")
    features["batch_id"] = 1
    return score_features(features, {"value": champion}, {}, "value:1", NOW, 1).assign(
        days=features["days_since_last_order"]
    )


def test_every_scored_customer_has_an_interval_and_nobody_else(champion: Champion) -> None:
    scores = scored(champion)
    ends = scores[["expected_value_low", "expected_value_high"]]
    inside = scores["days"] < 2 * HORIZON
    assert 0 < inside.sum() < len(scores)
    assert (scores["expected_value"].notna() == inside).all()
    assert (ends.notna().all(axis=1) == inside).all()
    assert (ends[inside]["expected_value_low"] <= ends[inside]["expected_value_high"]).all()
    rising = scores[inside].sort_values("expected_value")["expected_value_high"]
    assert rising.is_monotonic_increasing


def test_a_model_from_before_there_were_intervals_still_scores(champion: Champion) -> None:
    older = replace(champion.model, spread=None)
    scores = scored(Champion(champion.version, older, champion.typical))
    now = scored(champion)
    pd.testing.assert_series_equal(scores["expected_value"], now["expected_value"])
    assert scores[["expected_value_low", "expected_value_high"]].isna().all(axis=None)
