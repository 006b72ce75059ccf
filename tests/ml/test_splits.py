"""Nothing after the test cutoff teaches the model, and too little history is said by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.splits import NotEnoughHistory, split_by_time


def dated(offsets: list[int], rows: int = 4) -> pd.DataFrame:
    dates = np.datetime64("2024-01-01", "us") + np.array(offsets) * np.timedelta64(1, "D")
    return pd.DataFrame(
        {"as_of": np.repeat(dates, rows), "label": np.tile([0, 1], len(offsets) * rows // 2)}
    )


@settings(max_examples=80, deadline=None)
@given(
    offsets=st.lists(st.integers(0, 400), min_size=3, max_size=20, unique=True),
    horizon=st.integers(1, 120),
)
def test_no_training_label_window_reaches_past_the_test_cutoff(
    offsets: list[int], horizon: int
) -> None:
    frame = dated(offsets)
    try:
        split = split_by_time(frame, horizon, min_rows=1)
    except NotEnoughHistory:
        known = [day for day in offsets if day + horizon <= max(offsets)]
        assert len(known) < 2
        return
    window = pd.Timedelta(days=horizon)
    assert split.test == frame["as_of"].max()
    assert all(date + window <= split.test for date in split.training)
    assert max(split.fit) < split.validation < split.test
    if split.is_purged:
        assert all(date + window <= split.validation for date in split.probe_fit)
    parts = [split.rows(frame, d) for d in (split.fit, (split.validation,), (split.test,))]
    assert np.sum(parts, axis=0).max() == 1


def test_no_usable_date_is_left_out() -> None:
    split = split_by_time(dated(list(range(0, 141, 14))), 28, min_rows=1)
    assert [date.dayofyear - 1 for date in split.training] == list(range(0, 113, 14))


def test_too_few_dates_says_what_is_there_and_what_is_needed() -> None:
    with pytest.raises(NotEnoughHistory, match=r"1 of 3 as-of dates .* 28-day .* at least 2"):
        split_by_time(dated([0, 14, 28]), 28, min_rows=1)


def test_no_rows_is_not_enough_history() -> None:
    with pytest.raises(NotEnoughHistory, match="no rows"):
        split_by_time(dated([0]).iloc[:0], 28)


def test_too_few_rows_names_the_part() -> None:
    with pytest.raises(NotEnoughHistory, match=r"validation dates .* have 4 rows; at least 5"):
        split_by_time(dated([0, 14, 28, 42]), 14, min_rows=5)


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_is_not_enough_history(only: int) -> None:
    frame = dated([0, 14, 28, 42]).assign(label=only)
    with pytest.raises(NotEnoughHistory, match=f"one class only .label {only}"):
        split_by_time(frame, 14, min_rows=1)


def test_no_value_above_zero_is_not_enough_history() -> None:
    with pytest.raises(NotEnoughHistory, match="no value above zero"):
        split_by_time(dated([0, 14, 28, 42]).assign(label=0.0), 14, min_rows=1, binary=False)


@pytest.mark.parametrize(
    ("label", "binary", "message"),
    [(np.nan, True, "null"), (2, True, "0 or 1"), (-1.0, False, "below zero")],
)
def test_labels_out_of_range_are_refused(label: float, binary: bool, message: str) -> None:
    frame = dated([0, 14, 28, 42]).astype({"label": float})
    frame.loc[3, "label"] = label
    with pytest.raises(ValueError, match=message):
        split_by_time(frame, 14, min_rows=1, binary=binary)
