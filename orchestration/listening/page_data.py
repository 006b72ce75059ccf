"""What the page of listening shows, counted by day, kind of feedback and segment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from orchestration.clock import read_clock
from orchestration.listening.issue_table import read_issues
from orchestration.rows import Row, read_rows

DAYS = 182
ISSUES = 12
EXAMPLES = 4
"""Newest texts shown of each kind of feedback, segment and mood."""
MOST_EXAMPLES = 300
LONGEST = 400
_TEXTS = """
with texts as (
    select
        signals.feedback_ref,
        signals.posted_at,
        date_diff('day', cast($since as timestamp), signals.posted_at) as day,
        coalesce(signals.source_type, 'unknown') as source,
        case
            when signals.customer_key is null then 'nobody known'
            else coalesce(segments.segment_name, 'no segment')
        end as segment,
        signals.topic_name as topic,
        signals.content_hash,
        signals.body,
        signals.sentiment,
        signals.unread_reason,
        cast(signals.sentiment_score as decimal(9, 6)) as score,
        complaints.feedback_ref is not null as is_complaint
    from marts.feedback_signals as signals
    left join marts.customer_segments as segments
        on signals.customer_key = segments.customer_key
    left join marts.feedback_complaints as complaints
        on signals.feedback_ref = complaints.feedback_ref
    where signals.posted_at >= $since and signals.posted_at < $as_of
)
"""
_COUNTS = """
    count(*) as texts,
    count(score) as judged,
    cast(coalesce(sum(score), 0) as double) as mood,
    count(*) filter (where is_complaint) as complaints
"""
_BY_DAY = f"select source, segment, day, {_COUNTS} from texts group by 1, 2, 3 order by 1, 2, 3"
_UNREAD = """
select unread_reason, count(*) as texts
from texts
where unread_reason is not null
group by 1
order by 1
"""
_TOPICS = f"""
select source, segment, topic, {_COUNTS}
from texts
where topic is not null
group by 1, 2, 3
order by 1, 2, 3
"""
_VOICES = f"""
select source, segment, mentions.term_group, mentions.name, {_COUNTS}
from texts
inner join ops.text_mentions as mentions on texts.content_hash = mentions.content_hash
group by 1, 2, 3, 4
order by 1, 2, 3, 4
"""
_EXAMPLES = """
select source, segment, posted_at, topic, coalesce(sentiment, 'unknown') as sentiment, body
from texts
where body <> ''
qualify row_number() over (
    partition by source, segment, sentiment
    order by posted_at desc, feedback_ref
) <= $each
order by posted_at desc, feedback_ref
limit $most
"""


@dataclass(frozen=True)
class PageData:
    """What customers said in the `DAYS` before the clock.

    Attributes
    ----------
    since, as_of : datetime
        Of the texts; ``since`` is a midnight.
    days, topics, voices : list of dict
        Counts (``texts``, ``judged``, ``mood``: the sum of moods, ``complaints``) by ``source`` and
        ``segment``, and by ``day`` since the beginning, ``topic``, or ``term_group`` and ``name``.
    examples : list of dict
        Masked texts, the newest first.
    issues : list of dict
        Rows of ``marts.emerging_issues``, the newest first.
    unread : dict of str to int
        How many of the texts nothing has read, by reason.
    """

    since: datetime
    as_of: datetime
    days: list[Row]
    topics: list[Row]
    voices: list[Row]
    examples: list[Row]
    issues: list[Row]
    unread: dict[str, int]

    @property
    def texts(self) -> int:
        return sum(row["texts"] for row in self.days)


def read_page_data(connection: duckdb.DuckDBPyConnection) -> PageData:
    """Read what the page shows."""
    as_of = read_clock(connection).as_of
    since = (as_of - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    span = {"since": since, "as_of": as_of}
    examples = read_rows(
        connection, _TEXTS + _EXAMPLES, {**span, "each": EXAMPLES, "most": MOST_EXAMPLES}
    )
    return PageData(
        since,
        as_of,
        days=read_rows(connection, _TEXTS + _BY_DAY, span),
        topics=read_rows(connection, _TEXTS + _TOPICS, span),
        voices=read_rows(connection, _TEXTS + _VOICES, span),
        examples=[{**row, "body": shortened(row["body"])} for row in examples],
        issues=read_issues(connection, ISSUES),
        unread={
            row["unread_reason"]: row["texts"]
            for row in read_rows(connection, _TEXTS + _UNREAD, span)
        },
    )


def shortened(text: str) -> str:
    """A text of at most `LONGEST` characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def for_browser(data: PageData) -> dict[str, Any]:
    """The counts and examples as the page's script takes them."""
    return {
        "since": f"{data.since:%Y-%m-%d}",
        "days": _counts(data.days, "day"),
        "topics": _counts(data.topics, "topic"),
        "voices": _counts(data.voices, "term_group", "name"),
        "examples": [
            [
                *_of(row, ("source", "segment")),
                f"{row['posted_at']:%Y-%m-%d %H:%M}",
                *_of(row, ("topic", "sentiment", "body")),
            ]
            for row in data.examples
        ],
    }


def _counts(rows: list[Row], *about: str) -> list[list[Any]]:
    names = ("source", "segment", *about, "texts", "judged", "mood", "complaints")
    return [_of(row, names) for row in rows]


def _of(row: Row, names: tuple[str, ...]) -> list[Any]:
    return [round(row[name], 4) if isinstance(row[name], float) else row[name] for name in names]
