"""Messages that were sent as labelled rows: what counts as a reaction, and to whom they went."""

from __future__ import annotations

import pandas as pd

from ml.groups import OTHER, tenure_band
from ml.periods import in_periods
from ml.splits import NothingToLearnFrom

WINDOWS_DAYS = (1, 3, 7, 14, 30, 60, 90)
COVERED = 0.95
"""Share of the reactions that the window must hold."""
NOT_FEATURES = ("message_ref", "campaign_ref", "channel", "variant", "features_as_of")


def reaction_window(reaction_days: pd.Series) -> int:
    """Days within which a reaction counts: the fewest on the ladder that hold 95 % of them.

    Parameters
    ----------
    reaction_days : Series of float
        Days from sending to the first reaction; null without one.
    """
    delays = reaction_days.dropna()
    if delays.empty:
        raise NothingToLearnFrom(f"none of {len(reaction_days)} messages has brought a reaction")
    needed = float(delays.quantile(COVERED))
    return next((days for days in WINDOWS_DAYS if days >= needed), WINDOWS_DAYS[-1])


def labelled_messages(
    messages: pd.DataFrame, known_until: pd.Timestamp
) -> tuple[pd.DataFrame, int]:
    """Label messages by whether a reaction came within the window, in periods of sending.

    Parameters
    ----------
    messages : DataFrame
        One row per message: ``customer_key``, ``sent_at``, ``reaction_days`` (null: none so far)
        and features of the moment of sending.
    known_until : Timestamp
        The instant up to which reactions are recorded.

    Returns
    -------
    frame : DataFrame
        ``customer_key``, ``as_of`` (start of the period), ``label`` and the features. A customer
        has as many rows of a date as messages in the period.
    horizon_days : int
        Days from the start of a period until its labels are known.

    Raises
    ------
    NothingToLearnFrom
        No messages, or no reactions.
    NotEnoughHistory
        Too few of either.
    """
    if messages.empty:
        raise NothingToLearnFrom("no message to a known customer has landed")
    window = reaction_window(messages["reaction_days"])
    label = (messages["reaction_days"] < window).astype(float)
    rows = messages.drop(columns=["reaction_days", *NOT_FEATURES], errors="ignore")
    return in_periods(rows.assign(label=label), "sent_at", known_until, window)


def message_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Channel of each message, and how long its customer has been a buyer."""
    sent = [name for name in rows.columns if name.startswith("sent_by_")]
    named = rows[sent].idxmax(axis=1).map(lambda name: str(name).removeprefix("sent_by_"))
    return pd.DataFrame(
        {
            "channel": named.where(rows[sent].any(axis=1), OTHER),
            "tenure": tenure_band(rows["days_since_first_order"]),
        }
    )
