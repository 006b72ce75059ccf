"""Where rows are many, the date that calibrates has chosen nothing and taught nothing before."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from known_market import DATES, HORIZON, market

from ml.calibration import level_weight
from ml.champion import labels_known_by
from ml.churn import CHURN
from ml.classifier import train
from ml.labelled_rows import LabelledRows
from ml.parameters import DEFAULTS, Learner
from ml.recipe import Recipe, probe
from ml.splits import OWN_DATE_ROWS, split_by_time
from ml.trained import TrainedModel

OWN, VALIDATION = DATES[6], DATES[5]
LEARNER = Learner(DEFAULTS, seed=0, num_threads=1)


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return market(OWN_DATE_ROWS)


@pytest.fixture(scope="module")
def model(many: pd.DataFrame) -> TrainedModel:
    return train(many, CHURN, horizon_days=HORIZON, num_threads=1)


def recipe_of(frame: pd.DataFrame) -> Recipe:
    return probe(LabelledRows.of(frame, CHURN, HORIZON), "logit", LEARNER)


def with_labels_at(frame: pd.DataFrame, date: pd.Timestamp, label: float) -> pd.DataFrame:
    """Half of the customers of a date get one label."""
    chosen = (frame["as_of"] == date) & (frame["customer_key"].str[-1].astype(int) < 5)
    return frame.assign(label=np.where(chosen, label, frame["label"]))


def test_a_date_of_its_own_where_rows_are_many_and_none_where_they_are_few(
    many: pd.DataFrame,
) -> None:
    split = split_by_time(many, HORIZON)
    assert (split.validation, split.calibration) == (VALIDATION, OWN)
    assert split.calibrating == OWN
    assert split.training == tuple(DATES[:7])
    assert split.before(OWN)[-1] + pd.Timedelta(days=HORIZON) <= OWN
    assert split_by_time(many, HORIZON, binary=False).calibration is None
    few = split_by_time(market(400), HORIZON)
    assert few.calibration is None
    assert few.calibrating == few.validation == OWN
    assert few.training == split.training


def test_the_calibration_date_chooses_nothing_but_slope_and_level(many: pd.DataFrame) -> None:
    recipe = recipe_of(many)
    other = recipe_of(with_labels_at(many, OWN, 1))
    assert (other.rounds, other.penalty) == (recipe.rounds, recipe.penalty)
    assert other.level > recipe.level + 0.2
    assert other.slope != recipe.slope
    assert recipe_of(with_labels_at(many, OWN, 0)).level < recipe.level - 0.2


def test_the_validation_date_chooses_but_does_not_calibrate_directly(many: pd.DataFrame) -> None:
    lied = many.assign(
        label=np.where(many["as_of"] == VALIDATION, 1 - many["label"], many["label"])
    )
    assert recipe_of(lied).rounds < recipe_of(many).rounds


def test_what_is_said_of_the_calibration_date_is_said_without_its_labels(
    many: pd.DataFrame,
) -> None:
    recipe, other = recipe_of(many), recipe_of(with_labels_at(many, OWN, 1))
    truth = many.loc[many["as_of"] == OWN, "label"].mean()
    assert len(recipe.predicted) == OWN_DATE_ROWS
    assert recipe.predicted.mean() == pytest.approx(truth, abs=0.03)

    def raw(found: Recipe) -> np.ndarray:
        odds = np.log(found.predicted / (1 - found.predicted))
        return (odds - found.level) / found.slope

    np.testing.assert_allclose(raw(other), raw(recipe), atol=1e-9)


def test_level_follows_a_market_that_turns(many: pd.DataFrame) -> None:
    turned = many.copy()
    for date in (OWN, *DATES[7:]):
        turned = with_labels_at(turned, date, 1)
    assert turned.loc[turned["as_of"] == DATES[-1], "label"].mean() > 0.6
    found = train(turned, CHURN, horizon_days=HORIZON, num_threads=1)
    blind = train(
        turned.drop(index=turned.index[turned["as_of"] == OWN]),
        CHURN,
        horizon_days=HORIZON,
        num_threads=1,
    )
    assert found.metric("ece") < blind.metric("ece") - 0.03


def test_the_longer_the_window_the_more_a_date_counts() -> None:
    weights = [level_weight(days) for days in (1, 7, 30, 60, 365)]
    assert weights == sorted(weights)
    assert 0 < weights[0] < 0.05
    assert level_weight(60) == 0.5
    assert weights[-1] < 1


def test_the_record_names_the_date_and_counts_it_among_those_learnt_from(
    model: TrainedModel,
) -> None:
    assert model.calibration_date == str(OWN.date())
    assert model.judged_dates == tuple(str(date.date()) for date in DATES[:7])
    known = labels_known_by(model.judged_dates, HORIZON)
    assert known == OWN + pd.Timedelta(days=HORIZON)
    assert TrainedModel.from_json(model.to_json()).calibration_date == model.calibration_date

    record = json.loads(model.to_json())
    del record["calibration_date"]
    old = TrainedModel.from_json(json.dumps(record))
    assert old.calibration_date == ""
    assert old.judged_dates == tuple(str(date.date()) for date in DATES[:6])


def test_reasons_add_up_to_the_calibrated_log_odds(model: TrainedModel, many: pd.DataFrame) -> None:
    rows = many.tail(200)
    scores = model.predict(rows, 1)
    rest = np.log(scores / (1 - scores)) - model.model.contributions(rows, 1).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], atol=1e-9)
