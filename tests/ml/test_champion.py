"""Champion and challenger meet where neither knows the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_market import DATES, HORIZON, market

from ml.champion import NoFairComparison, compare, fair_model
from ml.churn import CHURN
from ml.classifier import train
from ml.trained import TrainedModel


@pytest.fixture(scope="module")
def wide() -> pd.DataFrame:
    frame = market(800, seed=2)
    return frame.assign(order_days_total=frame["orders_30d"] + 1)


@pytest.fixture(scope="module")
def challenger(wide: pd.DataFrame) -> TrainedModel:
    return train(wide, CHURN, horizon_days=HORIZON)


@pytest.fixture(scope="module")
def test_rows(wide: pd.DataFrame) -> pd.DataFrame:
    return wide[wide["as_of"] == wide["as_of"].max()]


def champion_of(frame: pd.DataFrame, dates: int) -> TrainedModel:
    return train(frame[frame["as_of"] <= DATES[dates - 1]], CHURN, horizon_days=HORIZON)


def test_a_champion_whose_labels_end_by_the_cutoff_is_scored_itself(
    wide: pd.DataFrame, challenger: TrainedModel, test_rows: pd.DataFrame
) -> None:
    old = champion_of(wide, 7)  # 6 x 14 days + 28 days = the newest date
    model, basis = fair_model(old, challenger, test_rows)
    assert model is old.model
    assert "the champion itself" in basis
    later = champion_of(wide, 8)
    model, basis = fair_model(later, challenger, test_rows)
    assert model is later.judged
    assert "twin" in basis


def test_a_version_is_no_different_from_itself(
    challenger: TrainedModel, test_rows: pd.DataFrame
) -> None:
    same = compare(challenger, challenger, test_rows.sample(frac=1, random_state=3), "roc_auc")
    np.testing.assert_array_equal(same.scores, challenger.test_predictions["model"])
    assert same.verdict.difference.value == 0
    assert same.verdict.difference.verdict == "no different"
    assert len(same.groups) >= 2
    assert {group.difference.value for group in same.groups} == {0.0}


def test_a_group_that_is_served_worse_is_named(
    challenger: TrainedModel, test_rows: pd.DataFrame
) -> None:
    tested = challenger.test_predictions.copy()
    orders = test_rows.set_index("customer_key")["order_days_total"]
    few = (tested["customer_key"].map(orders) > 4).to_numpy()
    tested.loc[few, "model"] = np.random.default_rng(0).permutation(tested.loc[few, "model"])
    harmed = replace(challenger, test_predictions=tested)
    groups = compare(harmed, challenger, test_rows, "roc_auc").groups
    worse = [group.group for group in groups if group.difference.verdict == "worse"]
    assert worse == ["order days 5 or more"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"horizon_days": 7}, "looks 7 days ahead, the challenger 28"),
        ({"judged": None}, "its record keeps no model from before"),
    ],
)
def test_without_a_fair_comparison_the_reason_is_said(
    challenger: TrainedModel, test_rows: pd.DataFrame, change: dict[str, object], words: str
) -> None:
    champion = replace(challenger, **change)  # type: ignore[arg-type]
    with pytest.raises(NoFairComparison, match=words):
        compare(challenger, champion, test_rows, "roc_auc")


def test_lost_features_and_later_labels_are_named(
    wide: pd.DataFrame, challenger: TrainedModel, test_rows: pd.DataFrame
) -> None:
    with pytest.raises(NoFairComparison, match="no longer exist: noise"):
        compare(challenger, challenger, test_rows.drop(columns="noise"), "roc_auc")
    early = champion_of(wide, 7)
    rows = wide[wide["as_of"] == DATES[6]]
    with pytest.raises(NoFairComparison) as problem:
        compare(early, challenger, rows, "roc_auc")
    assert problem.value.champion_knows_more


def test_other_rows_are_refused(challenger: TrainedModel, test_rows: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="their customers or labels differ"):
        compare(challenger, challenger, test_rows.head(100), "roc_auc")
