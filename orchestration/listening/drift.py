"""Texts of the last weeks against those of the months before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.clock import read_clock

if TYPE_CHECKING:
    import pandas as pd

CURRENT = timedelta(days=28)
REFERENCE = timedelta(days=84)
MOST_TEXTS = 5_000
_TEXTS = """
select
    body,
    language,
    sentiment_score,
    sentiment,
    intent,
    topic_name as topic,
    source_type
from marts.feedback_signals
where posted_at >= ? and posted_at < ? and body <> ''
order by hash(feedback_ref)
limit ?
"""


@dataclass(frozen=True)
class Windows:
    """Texts of two windows of time, at most `MOST_TEXTS` of each, drawn the same every time.

    Attributes
    ----------
    begin : datetime
        Of the current window; the reference ends there.
    """

    reference: "pd.DataFrame"
    current: "pd.DataFrame"
    begin: datetime


def read_windows(connection: duckdb.DuckDBPyConnection) -> Windows:
    """The last `CURRENT` before the clock, and the `REFERENCE` before it."""
    as_of = read_clock(connection).as_of
    begin = as_of - CURRENT
    spans = ((begin - REFERENCE, begin), (begin, as_of))
    reference, current = (connection.execute(_TEXTS, [*span, MOST_TEXTS]).df() for span in spans)
    return Windows(reference, current, begin)
