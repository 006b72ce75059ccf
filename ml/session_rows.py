"""Instants of past sessions as labelled rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.groups import OTHER
from ml.periods import in_periods
from ml.splits import NothingToLearnFrom

LABEL_DAYS = 1
"""A session of a person is over a day later."""
NOT_FEATURES = ("point_id", "session_id")


def labelled_sessions(points: pd.DataFrame, known_until: pd.Timestamp) -> tuple[pd.DataFrame, int]:
    """Instants of past sessions in periods; the unit of intervals is the visitor.

    Parameters
    ----------
    points : DataFrame
        One row per instant of a past session: ``visitor_key``, ``observed_at``, ``label`` (1 where
        an order of the session came after it) and features of the instant.
    known_until : Timestamp
        The instant up to which events are recorded.

    Returns
    -------
    frame : DataFrame
        ``customer_key`` (the visitor), ``as_of`` (start of the period), ``label`` and the features.
    horizon_days : int
        Days from the start of a period until its labels are known.

    Raises
    ------
    NothingToLearnFrom
        No sessions, or none with an order.
    NotEnoughHistory
        Too few with or without an order.
    """
    if points.empty:
        raise NothingToLearnFrom("no session of a person is over yet")
    if not points["label"].any():
        raise NothingToLearnFrom(
            f"no event tells of an order in {len(points)} instants of sessions"
        )
    rows = points.drop(columns=list(NOT_FEATURES), errors="ignore")
    return in_periods(
        rows.rename(columns={"visitor_key": "customer_key"}), "observed_at", known_until, LABEL_DAYS
    )


def session_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Device of each session, and whether its customer was recognised."""
    device = np.where(rows["on_mobile"] > 0, "mobile", OTHER)
    return pd.DataFrame(
        {
            "device": np.where(rows["on_desktop"] > 0, "desktop", device),
            "visitor": np.where(rows["customer_is_known"] > 0, "recognised", "anonymous"),
        },
        index=rows.index,
    )
