"""Labelled rows of category propensity: a customer, a category and a past instant."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.groups import tenure_band
from ml.splits import NothingToLearnFrom

HORIZON_DAYS = 30


def labelled_categories(rows: pd.DataFrame, known_until: pd.Timestamp) -> tuple[pd.DataFrame, int]:
    """Rows of a customer, a category and a past instant, whose label is known.

    Parameters
    ----------
    rows : DataFrame
        ``customer_key``, ``category``, ``as_of``, ``label`` (1 where the customer bought of the
        category in the 30 days from the instant on) and features.
    known_until : Timestamp
        The instant up to which orders are recorded.

    Returns
    -------
    frame : DataFrame
        Without the name of the category; a customer has a row of a date per category.
    horizon_days : int

    Raises
    ------
    NothingToLearnFrom
        No rows: no products with a category, or no past instant with 30 days behind it.
    """
    known = rows[rows["as_of"] + pd.Timedelta(days=HORIZON_DAYS) <= known_until]
    if known.empty:
        raise NothingToLearnFrom(
            "no customer has bought products with a category so long ago that the next "
            f"{HORIZON_DAYS} days are known"
        )
    return known.drop(columns="category").reset_index(drop=True), HORIZON_DAYS


def category_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether the customer has bought of the category before, and how long they are a buyer."""
    is_known = rows["category_order_days_total"] > 0
    return pd.DataFrame(
        {
            "category": np.where(is_known, "bought before", "never bought"),
            "tenure": tenure_band(rows["days_since_first_order"]),
        }
    )
