"""Response: the probability that a customer reacts to a message, from what was known on sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.event_task import EventTask

if TYPE_CHECKING:
    import pandas as pd


def _label(rows: pd.DataFrame, known_until: pd.Timestamp) -> tuple[pd.DataFrame, int]:
    from ml.message_rows import labelled_messages

    return labelled_messages(rows, known_until)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    from ml.message_rows import message_groups

    return message_groups(rows)


RESPONSE = EventTask(
    name="response",
    label=_label,
    baselines={"past_rate": "past_reaction_rate"},
    groups=_groups,
    description="Probability that a customer reacts to a message that is sent to them.",
    title="Response: a reaction to a message, known within {days} days",
    meaning=(
        "The probability that a customer to whom a message is sent reacts to it: clicks on it, or "
        "redeems a coupon or orders with its campaign. It counts every message that was sent, "
        "with what was known at that moment, in periods; {horizon} days after the start of a "
        "period it is known which reactions came. Held-back messages are left out, so it says who "
        "reacts, not what a message changes."
    ),
    positive="would react",
)
