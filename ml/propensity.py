"""Propensity: the probability that a customer buys within the horizon."""

from dataclasses import replace

from ml.task import Task

PURCHASE = Task(
    name="purchase",
    outcome="purchase",
    horizon="purchase",
    population="active",
    baseline_columns=("days_since_last_order",),
    score_column="purchase_probability",
    description="Probability that an active customer buys within the horizon.",
    title="Purchase within {days} days",
    meaning=(
        "The probability that a customer who bought or was otherwise active lately buys in the "
        "{horizon} days from the as-of date on."
    ),
    positive="would buy",
    # not recency: who has just bought may need nothing for a while
    directions={
        "days_since_last_event": -1,
        "order_days_90d": 1,
        "order_days_365d": 1,
        "order_days_total": 1,
        "active_days_30d": 1,
        "active_days_90d": 1,
    },
)


def _within(days: int) -> Task:
    """The same question with a fixed horizon, whatever that of `PURCHASE` is."""
    return replace(
        PURCHASE,
        name=f"purchase_{days}d",
        horizon=days,
        score_column=f"purchase_{days}d_probability",
        description=f"Probability that an active customer buys within {days} days.",
        same_as=PURCHASE.name,
    )


PURCHASE_7D = _within(7)
PURCHASE_30D = _within(30)
