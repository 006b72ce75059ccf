"""Scores of a batch of customers: who gets which, and their intervals."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.classifier import train
from ml.inactivity import INACTIVITY
from ml.propensity import PURCHASE
from ml.reasons import typical_values
from ml.tasks import TASKS
from ml.value import VALUE
from orchestration.champions import Champion
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


def scored(champions: Mapping[str, Champion], features: pd.DataFrame | None = None) -> pd.DataFrame:
    if features is None:
        features = history(30, seed=1).drop(columns="label")
        features = features[features["as_of"] == features["as_of"].max()]
    features = features.reset_index(drop=True).assign(
        segment_id=pd.array([1] * len(features), dtype="Int32"), segment_name="loyal", batch_id=1
    )
    return score_features(features, champions, {}, "some:1", NOW, 1).assign(
        days=features["days_since_last_order"]
    )


def test_every_scored_customer_has_an_interval_and_nobody_else(champion: Champion) -> None:
    scores = scored({"value": champion})
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
    scores = scored({"value": Champion(champion.version, older, champion.typical)})
    now = scored({"value": champion})
    pd.testing.assert_series_equal(scores["expected_value"], now["expected_value"])
    assert scores[["expected_value_low", "expected_value_high"]].isna().all(axis=None)


@pytest.fixture(scope="module")
def buying() -> Champion:
    """A purchase model that looks 28 days ahead."""
    frame = history().assign(label=lambda f: (f["label"] > 0).astype(float))
    model = train(frame, PURCHASE, horizon_days=HORIZON, num_threads=1)
    typical = typical_values(frame, model.features)
    return Champion(Version("purchase", 1, Path("."), {}), model, typical)


def looking_ahead(champion: Champion, days: int, name: str) -> Champion:
    model = replace(champion.model, horizon_days=days)
    return replace(champion, model=model, version=Version(name, 1, Path("."), {}))


@pytest.mark.parametrize(("days", "answers"), [(7, "7d"), (30, "30d"), (14, None)])
def test_a_purchase_within_a_fixed_time_has_the_score_of_the_model_that_looks_so_far(
    buying: Champion, days: int, answers: str | None
) -> None:
    scores = scored({"purchase": looking_ahead(buying, days, "purchase")})
    assert scores["purchase_probability"].notna().any()
    for name in ("7d", "30d"):
        column = scores[f"purchase_{name}_probability"]
        if name == answers:
            pd.testing.assert_series_equal(
                column, scores["purchase_probability"], check_names=False
            )
        else:
            assert column.isna().all()


def test_a_model_of_its_own_scores_where_purchase_looks_elsewhere(buying: Champion) -> None:
    champions = {
        "purchase": looking_ahead(buying, 14, "purchase"),
        "purchase_7d": looking_ahead(buying, 7, "purchase_7d"),
    }
    scores = scored(champions)
    assert scores["purchase_7d_probability"].notna().any()
    assert scores["purchase_30d_probability"].isna().all()
    # one that was trained before purchase looked so far is not asked any more
    alone = {"purchase": looking_ahead(buying, 7, "purchase")}
    stale = replace(champions["purchase_7d"].model, horizon_days=90)
    older = {**alone, "purchase_7d": replace(champions["purchase_7d"], model=stale)}
    columns = [task.score_column for task in TASKS.values()]
    pd.testing.assert_frame_equal(scored(older)[columns], scored(alone)[columns])


def test_inactivity_speaks_of_visitors_and_explains_whom_nothing_else_does(
    champion: Champion,
) -> None:
    frame = history().assign(
        days_since_last_event=lambda f: f["days_since_last_order"] * 2,
        days_since_last_order=np.nan,
        label=lambda f: (f["label"] == 0).astype(float),
    )
    model = train(frame, INACTIVITY, horizon_days=HORIZON, num_threads=1)
    typical = typical_values(frame, model.features)
    silent = Champion(Version("inactivity", 1, Path("."), {}), model, typical)
    features = frame[frame["as_of"] == frame["as_of"].max()].head(60)
    scores = scored({"value": champion, "inactivity": silent}, features.drop(columns="label"))
    is_member = (features["days_since_last_event"] < 2 * HORIZON).to_numpy()
    assert 0 < is_member.sum() < len(scores)
    assert (scores["inactivity_probability"].notna() == is_member).all()
    assert scores["expected_value"].isna().all(), "nobody has ever bought"
    said = scores["top_reasons"].map(lambda reasons: reasons[0].startswith("not scored"))
    assert (said.to_numpy() == ~is_member).all()
