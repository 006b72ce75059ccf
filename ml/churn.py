"""Churn: the probability that an active customer buys nothing within the horizon."""

from ml.task import Task

CHURN = Task(
    name="churn",
    outcome="no purchase",
    horizon="churn",
    population="buyers",
    baseline_columns=("days_since_last_order",),
    score_column="churn_probability",
    description="Probability that an active customer buys nothing within the horizon.",
    title="Churn: no purchase within {days} days",
    meaning=(
        "The probability that a customer who bought in the last {population} days buys nothing in "
        "the {horizon} days from the as-of date on."
    ),
    positive="would leave",
    directions={
        "days_since_last_order": 1,
        "days_since_last_event": 1,
        "order_days_30d": -1,
        "order_days_90d": -1,
        "order_days_365d": -1,
        "order_days_total": -1,
        "active_days_30d": -1,
        "active_days_90d": -1,
    },
)
