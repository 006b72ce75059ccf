"""Rows that happen at any instant, such as messages, in periods that a time split can tell apart.

A customer has one row per as-of date where the question is asked of everybody at once. A message or
a session has an instant of its own. So rows are gathered in periods of equal length, and the start
of its period is the ``as_of`` of each: the label is known at the end of the period plus the days
that it takes, and this sum is the horizon that a split keeps between learning and judging. Features
stay those of each row's own instant.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.splits import NotEnoughHistory, split_by_time

DAY_SECONDS = 86_400
LENGTHS_DAYS = (7, 14, 28, 56, 84)
FEWEST_ROWS = 200
"""Rows that the newest period must hold, and those to fit and to validate on too."""
FEWEST_OF_A_CLASS = 20
"""Rows of label 0, and of label 1, that the newest period must hold to judge on it."""


def in_periods(
    rows: pd.DataFrame, instant: str, known_until: pd.Timestamp, label_days: int
) -> tuple[pd.DataFrame, int]:
    """Give rows the start of their period as ``as_of``; rows with an unknown label are left out.

    The periods are as short as they can be with enough rows to judge on in the newest, and enough
    to learn from in earlier ones.

    Parameters
    ----------
    rows : DataFrame, n rows
        Has ``label`` (0 or 1) and the column named by `instant`.
    instant : str
        Column of timestamps.
    known_until : Timestamp
        The instant up to which everything is recorded.
    label_days : int
        Days from the instant of a row until its label is known, at least 1.

    Returns
    -------
    rows : DataFrame
        With ``as_of`` in place of the instant, in the order given.
    horizon_days : int
        Length of a period and `label_days`: a period's labels are known so long after its start.

    Raises
    ------
    NotEnoughHistory
        No length of period will do; the message says what is missing with the shortest and with
        the longest.
    """
    end = known_until.normalize() - pd.Timedelta(days=label_days)
    known = rows[rows[instant] < end]
    if known.empty:
        raise NotEnoughHistory(
            f"none of {len(rows)} rows has a label that is known by {known_until:%Y-%m-%d}, "
            f"{label_days} days later"
        )
    age = (end - known[instant]).dt.total_seconds().to_numpy(dtype=float) / DAY_SECONDS
    missing = {}
    for length in LENGTHS_DAYS:
        number = np.ceil(age / length)  # 1 is the newest
        starts = end - pd.to_timedelta(number * length, unit="D")
        found = known.drop(columns=instant).assign(as_of=starts.to_numpy()).reset_index(drop=True)
        try:
            split = split_by_time(found, length + label_days, min_rows=FEWEST_ROWS)
            _check_newest(found.loc[found["as_of"] == split.test, "label"])
        except NotEnoughHistory as problem:
            missing[length] = str(problem)
        else:
            return found, length + label_days
    said = " ".join(
        f"In periods of {length} days: {missing[length]}."
        for length in (LENGTHS_DAYS[0], LENGTHS_DAYS[-1])
    )
    raise NotEnoughHistory(f"{len(known)} rows have a known label. {said}")


def _check_newest(labels: pd.Series) -> None:
    positive = int(labels.sum())
    if min(positive, len(labels) - positive) < FEWEST_OF_A_CLASS:
        raise NotEnoughHistory(
            f"the newest period has {positive} rows of label 1 among {len(labels)}; needed are "
            f"{FEWEST_OF_A_CLASS} of each label"
        )
