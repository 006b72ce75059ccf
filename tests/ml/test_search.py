"""The search is bounded, repeatable, blind to the test cutoff, and modest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from known_market import DATES, HORIZON, market

from ml.churn import CHURN
from ml.intervals import Difference
from ml.parameters import DEFAULTS
from ml.search import SPACE, VALUE_SPACE, mean_interval, row_losses, search
from ml.search_result import Budget, SearchResult
from ml.splits import NotEnoughHistory
from ml.value import VALUE

TRIALS = 3
BUDGET = Budget(TRIALS)


def look(frame: pd.DataFrame, seed: int = 0, budget: Budget = BUDGET) -> SearchResult:
    return search(
        frame, CHURN, horizon_days=HORIZON, budget=budget, origins=2, seed=seed, num_threads=1
    )


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    return market(150)


@pytest.fixture(scope="module")
def found(small: pd.DataFrame) -> SearchResult:
    return look(small)


def test_the_defaults_are_the_first_trial(found: SearchResult) -> None:
    assert len(found.trials) == TRIALS
    first = found.trials.iloc[0]
    assert {name: first[name] for name in SPACE} == {
        name: getattr(DEFAULTS, name) for name in SPACE
    }
    assert found.trials["loss"].nunique() == TRIALS


def test_a_budget_of_trials_finds_the_same_whatever_the_row_order(
    found: SearchResult, small: pd.DataFrame
) -> None:
    assert look(small.sample(frac=1, random_state=3)).to_json() == found.to_json()
    assert look(small, seed=1).trials["loss"][1] != found.trials["loss"][1]


def test_what_was_not_known_at_the_test_cutoff_changes_nothing(
    found: SearchResult, small: pd.DataFrame
) -> None:
    later = small["as_of"] + pd.Timedelta(days=HORIZON) > DATES[-1]
    changed = small.assign(label=np.where(later, 1 - small["label"], small["label"]))
    assert look(changed).to_json() == found.to_json()
    earlier = small.assign(label=np.where(~later, 1 - small["label"], small["label"]))
    assert look(earlier).to_json() != found.to_json()


def test_origins_choose_and_a_later_one_confirms(found: SearchResult) -> None:
    assert found.choosing < (found.confirming,)
    assert pd.Timestamp(found.confirming) + pd.Timedelta(days=HORIZON) <= DATES[-1]
    assert found.cutoff == str(DATES[-1].date())


def test_time_ends_a_search_but_never_before_the_defaults(small: pd.DataFrame) -> None:
    hurried = look(small, budget=Budget(50, seconds=0.001))
    assert len(hurried.trials) == 1
    assert hurried.found == DEFAULTS
    assert not hurried.is_adopted
    assert str(hurried) == "churn: 1 trials, none better than the defaults"


@pytest.mark.parametrize(
    ("chosen_low", "later_low", "adopted"),
    [(0.001, 0.001, True), (0.001, -0.001, False), (-0.001, 0.001, False)],
)
def test_adopted_only_if_both_intervals_are_gains(
    found: SearchResult, chosen_low: float, later_low: float, adopted: bool
) -> None:
    other = replace(DEFAULTS, num_leaves=5)
    result = replace(
        found,
        found=other,
        choosing_gain=Difference(0.002, chosen_low, 0.003),
        gain=Difference(0.002, later_low, 0.003),
    )
    assert result.is_adopted is adopted
    assert result.parameters == (other if adopted else DEFAULTS)
    assert ("adopted" in str(result)) is adopted


def test_a_record_holds_everything(found: SearchResult) -> None:
    again = SearchResult.from_json(found.to_json())
    pd.testing.assert_frame_equal(again.trials, found.trials)
    assert replace(again, trials=found.trials) == found
    assert again.to_json() == found.to_json()


def test_too_short_a_history_says_what_to_add(small: pd.DataFrame) -> None:
    short = small[small["as_of"] <= DATES[5].to_datetime64()]
    with pytest.raises(NotEnoughHistory, match=r"one to choose and one to confirm.*AS_OF_COUNT"):
        look(short)
    with pytest.raises(NotEnoughHistory, match="no rows"):
        look(small.iloc[:0])


def test_interval_of_a_mean_knows_that_rows_of_one_customer_are_alike() -> None:
    rng = np.random.default_rng(1)
    values = np.repeat(rng.normal(size=200), 4)
    alone = mean_interval(values, np.arange(800), seed=0)
    together = mean_interval(values, np.repeat(np.arange(200), 4), seed=0)
    assert alone.value == together.value == pytest.approx(values.mean())
    ratio = (together.high - together.low) / (alone.high - alone.low)
    assert ratio == pytest.approx(2, rel=0.15)


def test_a_budget_without_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        Budget(0)
    with pytest.raises(ValueError, match="some time"):
        Budget(5, seconds=0)


def test_values_have_their_own_loss_whatever_the_unit_of_money(small: pd.DataFrame) -> None:
    spend = small.assign(label=(1 - small["label"]) * small["revenue_90d"])
    results = [
        search(
            spend.assign(label=spend["label"] * unit),
            VALUE,
            horizon_days=HORIZON,
            budget=Budget(2),
            origins=2,
            num_threads=1,
        )
        for unit in (1, 100)
    ]
    assert "tweedie_power" in results[0].trials
    assert set(VALUE_SPACE) - set(SPACE) == {"tweedie_power"}
    np.testing.assert_allclose(results[0].trials["loss"], results[1].trials["loss"], rtol=1e-3)


def test_losses_are_least_for_what_happens_on_average() -> None:
    rng = np.random.default_rng(0)
    bought = (rng.random(4_000) < 0.3).astype(float)
    spent = bought * rng.gamma(2, 20, len(bought))
    for label, link in ((bought, "logit"), (spent, "log")):
        mean = label.mean()
        at = [row_losses(label, np.full(len(label), mean * f), link).mean() for f in (0.7, 1, 1.3)]
        assert at[1] < min(at[0], at[2])
