"""High intent: the probability that a running session ends in an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml.event_task import EventTask

if TYPE_CHECKING:
    import pandas as pd


def _label(rows: pd.DataFrame, known_until: pd.Timestamp) -> tuple[pd.DataFrame, int]:
    from ml.session_rows import labelled_sessions

    return labelled_sessions(rows, known_until)


def _groups(rows: pd.DataFrame) -> pd.DataFrame:
    from ml.session_rows import session_groups

    return session_groups(rows)


INTENT = EventTask(
    name="intent",
    label=_label,
    baselines={"has_cart": "session_has_cart", "product_views": "session_product_views"},
    groups=_groups,
    description="Probability that a running session ends in an order.",
    title="High intent: an order in the rest of the session, known within {days} days",
    meaning=(
        "The probability that an order follows in a session that is open and has had none. It "
        "learns from up to three instants of each past session of a person, with what was known "
        "of it then, in periods; {horizon} days after the start of a period all its sessions are "
        "over. Sessions of programs, at a till and of calls are left out."
    ),
    positive="would order",
)
