"""Category propensity: the probability that a customer buys of a category within 30 days.

One model for all categories: it knows a category by how popular it is and by what the customer has
bought of it, not by its name, so that it speaks of a category that becomes popular tomorrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.event_task import EventTask

if TYPE_CHECKING:
    import pandas as pd


def _label(rows: pd.DataFrame, known_until: pd.Timestamp) -> tuple[pd.DataFrame, int]:
    from ml.category_rows import labelled_categories

    return labelled_categories(rows, known_until)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    from ml.category_rows import category_groups

    return category_groups(rows)


CATEGORY = EventTask(
    name="category",
    label=_label,
    baselines={
        "category_recency": "category_days_since_last_order",
        "category_share": "category_line_share",
    },
    groups=_groups,
    description="Probability that a customer buys of a category within 30 days.",
    title="Category: a purchase of a category within {days} days",
    meaning=(
        "The probability that a customer who bought lately buys a product of a category in the "
        "{horizon} days from the as-of date on, for each of the categories with the most order "
        "lines in the year before (SHOAL_TOP_CATEGORIES)."
    ),
    positive="would buy of the category",
    directions={
        "category_order_days_90d": 1,
        "category_order_days_365d": 1,
        "category_order_days_total": 1,
        "category_line_share": 1,
        "category_popularity_90d": 1,
    },
)
