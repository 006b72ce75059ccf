"""Issues as people see them: newest first."""

from collections.abc import Sequence

import duckdb

from orchestration.documents import Table, to_markdown
from orchestration.rows import Row, read_rows

KINDS = {
    "complaint_burst": "complaints about a product",
    "topic_burst": "complaints of a topic",
    "mention_burst": "mentions of a name",
    "emerging_complaint": "new in complaints",
    "emerging_term": "new in other texts",
}
_NEWEST = """
select *
from marts.emerging_issues
order by last_seen_at desc, issue_id
limit ?
"""


def read_issues(connection: duckdb.DuckDBPyConnection, most: int) -> list[Row]:
    """The issues that were last seen, with all columns."""
    return read_rows(connection, _NEWEST, [most])


def issues_markdown(issues: Sequence[Row]) -> str:
    """A table for Dagster's UI."""
    rows = tuple(
        (
            KINDS[issue["kind"]],
            issue["subject_name"] or issue["subject"],
            ", ".join(issue["words"]),
            f"{issue['texts']:,}",
            f"{issue['started_at']:%Y-%m-%d %H:%M}",
            f"{issue['noticed_at']:%Y-%m-%d %H:%M}",
        )
        for issue in issues
    )
    return to_markdown([Table(("what", "of", "says", "texts", "since", "noticed"), rows)])
