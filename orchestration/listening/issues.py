"""What is suddenly talked about: judged when a batch brings texts, kept, and handed to alerts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from orchestration.clock import Clock, read_clock
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.listening.issue_reads import (
    LATELY,
    Newest,
    bodies_of,
    read_bodies,
    read_busy,
    read_newest,
)
from orchestration.rows import Row, read_rows
from orchestration.settings import Settings

if TYPE_CHECKING:
    from ml.anomalies import Finding
    from ml.text_issues import Issue

EXAMPLES = 5
MOST_NAMED_BY = 200
"""Texts of an issue that its words are taken from."""
_NAMES = """
select product_ref, any_value(product_name)
from staging.stg_products
where product_ref in (select unnest(?))
group by 1
"""


@dataclass(frozen=True)
class Heard:
    """What a run judged: new texts, and the issues of which it found more."""

    texts: int = 0
    issues: "list[Issue]" = field(default_factory=list)


def hear_issues(lake: Lake, values: Settings) -> Heard:
    """Judge the texts of the run's batches; keep what is new in ``marts.emerging_issues``.

    A run that is done again finds the same issues. Without a new text nothing else is read.
    """
    with lake.reader(latest=True) as connection:
        clock = read_clock(connection)
        oldest = clock.as_of - timedelta(days=values.alert_history_days)
        newest = read_newest(connection, clock, oldest)
        if newest is None:
            return Heard()
        known = _known(connection, newest.first_at - LATELY)
        found = judge_texts(connection, clock, newest, known)
        rows = _rows(connection, found, known, clock, timedelta(hours=values.alert_cool_down_hours))
    if rows:
        with lake.writer("write issues") as connection, transaction(connection):
            _replace(connection, rows)
    return Heard(newest.texts, found)


def judge_texts(
    connection: duckdb.DuckDBPyConnection, clock: Clock, newest: Newest, known: list[Row]
) -> "list[Issue]":
    """Issues with a text of the run's batches, by what was posted before each instant alone."""
    from ml.text_bursts import BurstSettings
    from ml.text_issues import (
        MENTIONS,
        NEW_COMPLAINT,
        NEW_TERM,
        PRODUCT_COMPLAINTS,
        TOPIC_COMPLAINTS,
        burst_issues,
        named,
        term_issues,
    )

    settings = BurstSettings()
    first_hour = newest.first_at.replace(minute=0, second=0, microsecond=0)
    judged_from = first_hour - LATELY  # what goes on explains new texts, too
    new: set[str] = set()
    explained: set[str] = set()
    found: list[Issue] = []
    kinds = {"product": PRODUCT_COMPLAINTS, "topic": TOPIC_COMPLAINTS, "name": MENTIONS}
    for subjects, kind in kinds.items():
        said = read_busy(connection, subjects, judged_from, clock.as_of, settings.least)
        texts = said.texts[~said.texts["feedback_ref"].isin(explained)]
        is_new = texts["batch_id"].between(clock.first_batch_id, clock.last_batch_id)
        new |= set(texts.loc[is_new, "feedback_ref"])
        issues = burst_issues(
            texts, kind, observed_from=said.observed_from, watched=said.subjects, settings=settings
        )
        explained |= {ref for issue in issues for ref in issue.refs}
        found += [issue for issue in issues if new & set(issue.refs)]
    bodies = read_bodies(connection, clock.as_of)
    is_new = bodies["batch_id"].between(clock.first_batch_id, clock.last_batch_id)
    new |= set(bodies.loc[is_new, "feedback_ref"])
    open_texts = bodies[~bodies["feedback_ref"].isin(explained)]
    for kind, chosen in (
        (NEW_COMPLAINT, open_texts[open_texts["is_complaint"]]),
        (NEW_TERM, open_texts[~open_texts["is_complaint"]]),
    ):
        names = [row["subject"] for row in known if row["kind"] == kind]
        issues = term_issues(chosen, clock.as_of, kind, known=names)
        found += [issue for issue in issues if new & set(issue.refs)]
    others = bodies.loc[bodies["is_complaint"] & ~bodies["feedback_ref"].isin(explained), "body"]
    products = _product_names(connection, found)
    return [
        issue
        if issue.words
        else named(
            issue,
            bodies_of(connection, issue.refs, MOST_NAMED_BY, distinct=False),
            others.tolist(),
            leave_out=products.get(issue.subject, ""),
        )
        for issue in found
    ]


def found_complaints(connection: duckdb.DuckDBPyConnection, clock: Clock) -> "list[Finding]":
    """Issues of complaints of which the run's batches brought more, as findings for alerts."""
    from ml.text_issues import Issue, finding_of

    rows = read_rows(
        connection,
        "select * from marts.emerging_issues where is_complaint and batch_id between ? and ?",
        [clock.first_batch_id, clock.last_batch_id],
    )
    return [
        finding_of(
            Issue(
                kind=row["kind"],
                subject=row["subject"],
                words=tuple(row["words"]),
                started_at=row["started_at"],
                noticed_at=row["noticed_at"],
                last_seen_at=row["last_seen_at"],
                texts=row["texts"],
                expected=row["expected"],
                score=row["score"],
                refs=tuple(row["feedback_refs"]),
            ),
            row["subject_name"] or "",
        )
        for row in rows
    ]


def _known(connection: duckdb.DuckDBPyConnection, since: datetime) -> list[Row]:
    return read_rows(
        connection, "select * from marts.emerging_issues where last_seen_at >= ?", [since]
    )


def _rows(
    connection: duckdb.DuckDBPyConnection,
    found: "list[Issue]",
    known: list[Row],
    clock: Clock,
    cool_down: timedelta,
) -> list[Row]:
    """Rows of ``marts.emerging_issues``; an issue that goes on keeps its id and its beginning."""
    from ml.text_issues import COMPLAINTS, finding_of

    products = _product_names(connection, found)
    rows: dict[str, Row] = {}
    for issue in found:
        before = next(
            (
                row
                for row in [*rows.values(), *known]
                if (row["kind"], row["subject"]) == (issue.kind, issue.subject)
                and issue.started_at <= row["last_seen_at"] + cool_down
                and row["started_at"] <= issue.last_seen_at + cool_down
            ),
            None,
        )
        name = products.get(issue.subject, "")
        issue_id = issue.issue_id
        if before is not None:
            issue_id = before["issue_id"]
            issue = replace(
                issue,
                started_at=min(issue.started_at, before["started_at"]),
                noticed_at=min(issue.noticed_at, before["noticed_at"]),
                last_seen_at=max(issue.last_seen_at, before["last_seen_at"]),
                score=max(issue.score, before["score"]),
            )
        finding = finding_of(issue, name)
        rows[issue_id] = {
            "issue_id": issue_id,
            "kind": issue.kind,
            "subject": issue.subject,
            "subject_name": name or None,
            "words": list(issue.words),
            "is_complaint": issue.kind in COMPLAINTS,
            "started_at": issue.started_at,
            "noticed_at": issue.noticed_at,
            "last_seen_at": issue.last_seen_at,
            "texts": issue.texts,
            "expected": issue.expected,
            "score": issue.score,
            "severity": finding.severity,
            "message": finding.message,
            "examples": bodies_of(connection, issue.refs, EXAMPLES, distinct=True),
            "feedback_refs": list(issue.refs),
            "as_of": clock.as_of,
            "batch_id": clock.last_batch_id,
        }
    return list(rows.values())


def _product_names(
    connection: duckdb.DuckDBPyConnection, found: "list[Issue]"
) -> Mapping[str, str]:
    from ml.text_issues import PRODUCT_COMPLAINTS

    refs = sorted({issue.subject for issue in found if issue.kind == PRODUCT_COMPLAINTS})
    if not refs:
        return {}
    return {ref: name for ref, name in connection.execute(_NAMES, [refs]).fetchall() if name}


def _replace(connection: duckdb.DuckDBPyConnection, rows: list[Row]) -> None:
    import pyarrow as pa

    connection.register("fresh_rows", pa.Table.from_pylist(rows))
    connection.execute(
        "delete from marts.emerging_issues where issue_id in (select issue_id from fresh_rows)"
    )
    connection.execute("insert into marts.emerging_issues by name select * from fresh_rows")
    connection.unregister("fresh_rows")
