"""Inactivity: the probability that an active customer does nothing at all within the horizon.

A churn for sources without orders; where there are orders it tells those who still visit from
those who are gone altogether.
"""

from ml.task import Task

INACTIVITY = Task(
    name="inactivity",
    outcome="no activity",
    horizon="inactivity",
    population="active",
    population_horizon="inactivity",
    baseline_columns=("days_since_last_order", "days_since_last_event"),
    score_column="inactivity_probability",
    description="Probability that an active customer neither buys nor does anything else.",
    title="Inactivity: no event and no order within {days} days",
    meaning=(
        "The probability that a customer who bought or was otherwise active in the last "
        "{population} days neither buys nor does anything else that is recorded in the {horizon} "
        "days from the as-of date on."
    ),
    positive="would fall silent",
    directions={
        "days_since_last_order": 1,
        "days_since_last_event": 1,
        "active_days_30d": -1,
        "active_days_90d": -1,
    },
)
