"""A model that has seen the label period is registered, doubted, and does not score."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.churn import CHURN
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.leak_alarm import skill_is_plausible
from orchestration.model_checks import beats_baselines
from orchestration.promotion import challenger_earns_promotion
from orchestration.registry import Registry
from orchestration.settings import Settings, settings
from orchestration.training import train_task

LOG = logging.getLogger(__name__)
TASK = replace(CHURN, baseline_columns=("days_away",))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("SHOAL_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


def lake_with(home: Settings, *, leak: bool) -> Lake:
    """Labelled features of 200 customers at six dates; a leak counts visits after the date."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("2024-01-01", periods=6, freq="14D")
    frame = pd.DataFrame(
        {
            "customer_key": np.tile([f"c{i}" for i in range(200)], 6),
            "as_of": np.repeat(dates.to_numpy().astype("datetime64[us]"), 200),
            "days_away": rng.gamma(2, 10, 1200).round(),
        }
    )
    odds = 0.06 * (frame["days_away"] - 20)
    frame["label"] = (rng.random(1200) < 1 / (1 + np.exp(-odds))).astype(float)
    frame["visits"] = (1 - frame["label"]) * 3 if leak else rng.normal(size=1200)
    lake = Lake.from_settings(home)
    with lake.writer("test tables") as connection:
        create_tables(connection)
        connection.register("frame", frame)
        connection.execute(
            "create or replace table marts.customer_labels as select customer_key, as_of, label, "
            "'churn' as task, 14 as horizon_days from frame"
        )
        connection.execute(
            "create or replace table marts.customer_feature_history as "
            "select * exclude (label) from frame"
        )
    return lake


def test_a_leaking_model_is_never_promoted_and_an_honest_one_is(home: Settings) -> None:
    lake = lake_with(home, leak=True)
    leaking, metadata = train_task(TASK, lake, LOG)
    decision = challenger_earns_promotion(TASK, lake, LOG, metadata)
    assert not decision.passed
    assert "feature visits alone has AUC 1.000" in (decision.description or "")
    assert Registry(home).champion("churn") is None
    result = skill_is_plausible(leaking, metadata)
    assert not result.passed
    assert "feature visits alone has AUC 1.000" in (result.description or "")

    lake = lake_with(home, leak=False)
    honest, metadata = train_task(TASK, lake, LOG)
    assert challenger_earns_promotion(TASK, lake, LOG, metadata).passed
    champion = Registry(home).champion("churn")
    assert champion is not None
    assert champion.number == 2
    assert skill_is_plausible(honest, metadata).passed


@pytest.mark.parametrize("is_expected", [True, False])
def test_a_model_that_was_not_trained_passes_only_where_none_is_expected(
    is_expected: bool,
) -> None:
    training = {"trained": False, "reason": "no order", "skipped_as_expected": is_expected}
    for check in (skill_is_plausible, beats_baselines):
        result = check(None, training)
        assert result.passed == is_expected
        assert "not trained: no order" in str(result.description)
