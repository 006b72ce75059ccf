"""What is looked at for issues: subjects with a busy hour, and complaints of the last month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.clock import Clock

if TYPE_CHECKING:
    import pandas as pd

PAST = timedelta(days=60)
"""How far back a subject's habit is learnt from."""
LATELY = timedelta(days=2)
"""A burst that began so long before a text may explain it."""
MONTH = timedelta(days=29)
HALF = timedelta(days=14)
"""The past counts half after so long, see `ml.text_bursts.BurstSettings`."""
MOST_BODIES = 2_000
"""Texts read of the last day, and of the month before it; of more a sample, always the same."""
SUBJECTS = {
    "product": "select feedback_ref, posted_at, product_ref as subject, batch_id "
    "from marts.feedback_complaints where product_ref is not null",
    "topic": "select feedback_ref, posted_at, topic_name as subject, batch_id "
    "from marts.feedback_complaints where topic_name is not null",
    "name": "select signals.feedback_ref, signals.posted_at, "
    "mentions.term_group || ': ' || mentions.name as subject, signals.batch_id "
    "from marts.feedback_signals as signals "
    "inner join ops.text_mentions as mentions on signals.content_hash = mentions.content_hash",
}
_BUSY = """
with said as ({said}),

recent as (
    select * from said where posted_at >= $past and posted_at < $as_of
),

usual as (
    select
        subject,
        least(
            count(*) filter (where posted_at < $judged_from) / $past_hours,
            count(*) filter (where posted_at between $lately and $judged_from) / $late_hours
        ) as an_hour
    from recent
    group by 1
),

hours as (
    select subject, count(*) as texts
    from recent
    where posted_at >= $judged_from
    group by subject, date_trunc('hour', posted_at)
    having count(*) >= $least
),

busy as (
    select hours.subject
    from hours
    inner join usual on hours.subject = usual.subject
    where hours.texts > usual.an_hour + 3 * sqrt(usual.an_hour)
)

select feedback_ref, posted_at, subject, batch_id
from recent
where subject in (select subject from busy)
"""
_BODIES = """
with texts as (
    select feedback_ref, posted_at, body, {is_complaint} as is_complaint, batch_id
    from marts.feedback_signals
    where posted_at >= $since and posted_at < $as_of and body <> ''
),

drawn as (
    select
        *,
        row_number() over (
            partition by posted_at > $day, is_complaint
            order by hash(feedback_ref)
        ) as place
    from texts
)

select feedback_ref, posted_at, body, is_complaint, batch_id
from drawn
where place <= $most
order by posted_at, feedback_ref
"""


@dataclass(frozen=True)
class Newest:
    """The texts of the run's batches: how many, and when the first of them was posted."""

    texts: int
    first_at: datetime


def read_newest(
    connection: duckdb.DuckDBPyConnection, clock: Clock, oldest: datetime
) -> Newest | None:
    """None where the run brought no text posted since an instant."""
    row = connection.execute(
        "select count(*), min(posted_at) from marts.feedback_signals "
        "where batch_id between ? and ? and posted_at >= ? and posted_at < ?",
        [clock.first_batch_id, clock.last_batch_id, oldest, clock.as_of],
    ).fetchone()
    return Newest(row[0], row[1]) if row is not None and row[0] else None


@dataclass(frozen=True)
class Said:
    """What was said about subjects with a busy hour.

    Attributes
    ----------
    texts : DataFrame
        ``feedback_ref``, ``posted_at``, ``subject``, ``batch_id``, since ``observed_from``.
    observed_from : datetime
        A full hour.
    subjects : int
        Subjects that there are, busy or not.
    """

    texts: "pd.DataFrame"
    observed_from: datetime
    subjects: int


def read_busy(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    judged_from: datetime,
    as_of: datetime,
    least: int,
) -> Said:
    """Everything about the subjects that had an hour out of the usual since an instant.

    Three standard deviations and ``least`` texts: no burst has less, and few other hours have it.
    """
    said = SUBJECTS[kind]
    past = judged_from - PAST
    texts = connection.execute(
        _BUSY.format(said=said),
        {
            "past": past,
            "lately": judged_from - HALF,
            "judged_from": judged_from,
            "as_of": as_of,
            "past_hours": PAST / timedelta(hours=1),
            "late_hours": HALF / timedelta(hours=1),
            "least": least,
        },
    ).df()
    if texts.empty:
        return Said(texts, past, 0)
    row = connection.execute(
        f"select count(distinct subject), (select min(posted_at) from marts.feedback_signals) "
        f"from ({said}) where posted_at >= ? and posted_at < ?",
        [past, as_of],
    ).fetchone()
    assert row is not None
    begin = max(past, row[1])
    return Said(texts, begin.replace(minute=0, second=0, microsecond=0), row[0])


def read_bodies(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> "pd.DataFrame":
    """Texts of the last day and of the month before it.

    Returns
    -------
    DataFrame
        ``feedback_ref``, ``posted_at``, ``body``, ``is_complaint``, ``batch_id``.
    """
    return connection.execute(
        _BODIES.format(
            is_complaint="feedback_ref in (select feedback_ref from marts.feedback_complaints)"
        ),
        {
            "since": as_of - MONTH,
            "day": as_of - timedelta(days=1),
            "as_of": as_of,
            "most": MOST_BODIES,
        },
    ).df()


def bodies_of(
    connection: duckdb.DuckDBPyConnection, refs: tuple[str, ...], most: int, *, distinct: bool
) -> list[str]:
    """Texts by reference, the newest first; the same words once or as often as they were said."""
    rows = connection.execute(
        "select any_value(body) from marts.feedback_signals "
        "where feedback_ref in (select unnest(?)) and body <> '' "
        f"group by {'content_hash' if distinct else 'feedback_ref'} "
        "order by max(posted_at) desc, min(feedback_ref) limit ?",
        [list(refs), most],
    ).fetchall()
    return [body for (body,) in rows]
