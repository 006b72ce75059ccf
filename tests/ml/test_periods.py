"""Rows of any instant in periods: nothing is judged on what was learnt, nothing unknown is used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.intervals import paired_auc_difference
from ml.periods import LENGTHS_DAYS, in_periods
from ml.splits import NotEnoughHistory, split_by_time

END = pd.Timestamp("2026-06-01 13:00")
LABEL_DAYS = 5


def rows(count: int = 4_000, days: int = 200, share: float = 0.3, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_key": [f"c{number}" for number in rng.integers(0, 300, count)],
            "at": END - pd.to_timedelta(rng.uniform(0, days, count), unit="D"),
            "label": (rng.random(count) < share).astype(float),
            "number": np.arange(count, dtype=float),
        }
    )


def test_a_label_is_known_when_a_later_period_is_judged() -> None:
    given = rows()
    found, horizon_days = in_periods(given, "at", END, LABEL_DAYS)
    at = given.set_index("number")["at"]
    split = split_by_time(found, horizon_days)
    for date in split.training:
        instants = at[found.loc[found["as_of"] == date, "number"]]
        assert instants.min() >= date
        assert instants.max() + pd.Timedelta(days=LABEL_DAYS) <= split.test
    judged = at[found.loc[found["as_of"] == split.test, "number"]]
    assert judged.max() + pd.Timedelta(days=LABEL_DAYS) <= END


def test_rows_with_an_unknown_label_are_left_out() -> None:
    given = rows()
    found, _ = in_periods(given, "at", END, LABEL_DAYS)
    known = given["at"] < END.normalize() - pd.Timedelta(days=LABEL_DAYS)
    assert not known.all()
    assert set(found["number"]) == set(given.loc[known, "number"])


def test_fewer_rows_make_longer_periods() -> None:
    _, many = in_periods(rows(20_000), "at", END, LABEL_DAYS)
    _, few = in_periods(rows(2_500), "at", END, LABEL_DAYS)
    assert many == LENGTHS_DAYS[0] + LABEL_DAYS < few


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rows(150), "rows"),
        (rows(4_000, share=0.0), "one class only"),
        (rows(2_250, days=50, share=0.02), "needed are 20 of each label"),
        (rows(4_000, days=4), "none of 4000 rows has a label that is known"),
        (rows(4_000, days=20), "label window"),
    ],
)
def test_what_is_missing_is_said(given: pd.DataFrame, said: str) -> None:
    with pytest.raises(NotEnoughHistory, match=said):
        in_periods(given, "at", END, LABEL_DAYS)


def test_intervals_know_that_a_customer_has_several_rows() -> None:
    """Ten copies of every row say no more than one, and an interval over rows believes they do."""
    rng = np.random.default_rng(1)
    label = (rng.random(200) < 0.4).astype(float)
    score, other = label + rng.normal(0, 1, 200), label + rng.normal(0, 2, 200)
    once = paired_auc_difference(label, score, other)
    customers = np.repeat(np.arange(200), 10)
    copies = [np.repeat(values, 10) for values in (label, score, other)]
    together = paired_auc_difference(*copies, clusters=customers)
    apart = paired_auc_difference(*copies)
    assert together.high - together.low == pytest.approx(once.high - once.low, rel=0.1)
    assert apart.high - apart.low < 0.5 * (once.high - once.low)
