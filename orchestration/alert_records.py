"""The table of alerts: incidents are recorded, found again, acknowledged and closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.rows import execute_with_rows

if TYPE_CHECKING:
    from ml.anomalies import Finding
    from ml.incidents import Incident

_FINDING = (
    "kind, subject, severity, score, unusual, since, detected_at, last_seen_at, message, event_ids"
)


class UnknownAlert(RuntimeError):
    """There is no alert with this id."""


@dataclass(frozen=True)
class Recorded:
    """How many incidents a run opened, found again with more, and only recorded as history."""

    opened: int = 0
    grown: int = 0
    historic: int = 0


def known_incidents(
    connection: duckdb.DuckDBPyConnection, findings: Sequence["Finding"]
) -> list["Incident"]:
    """Incidents of the subjects of some findings."""
    import pandas as pd

    from ml.anomalies import Finding
    from ml.incidents import Incident

    rows = connection.execute(
        f"select alert_id, {_FINDING} from ops.alerts where subject in (select unnest(?))",
        [sorted({finding.subject for finding in findings})],
    ).fetchall()
    return [
        Incident(
            row[0],
            Finding(
                kind=row[1],
                subject=row[2],
                severity=row[3],
                score=row[4],
                unusual=row[5],
                since=pd.Timestamp(row[6]),
                detected_at=pd.Timestamp(row[7]),
                last_seen_at=pd.Timestamp(row[8]),
                message=row[9],
                rows=tuple(row[10]),
            ),
        )
        for row in rows
    ]


def record(
    connection: duckdb.DuckDBPyConnection,
    findings: Sequence["Finding"],
    *,
    batch_id: int,
    as_of: datetime,
    now: datetime,
    cool_down: timedelta,
    fresh: timedelta,
) -> Recorded:
    """Merge findings into ``ops.alerts``; the caller's transaction holds it together.

    An incident that could be told more than ``fresh`` before the as-of instant is history: it is
    recorded and never sent. One that has become more severe is sent again.
    """
    import pandas as pd

    from ml.incidents import merge, severity_rank

    _close(connection, as_of - cool_down)
    if not findings:
        return Recorded()
    known = {incident.alert_id: incident for incident in known_incidents(connection, findings)}
    opened: list[dict[str, Any]] = []
    grown: list[dict[str, Any]] = []
    for incident in merge(list(known.values()), findings, pd.Timedelta(cool_down)):
        finding = incident.finding
        row = {"alert_id": incident.alert_id, **_values(finding)}
        before = known.get(incident.alert_id)
        if before is None:
            delivery = "historic" if finding.detected_at < as_of - fresh else "pending"
            opened.append({**row, "delivery": delivery})
        else:
            graver = severity_rank(finding.severity) > severity_rank(before.finding.severity)
            grown.append({**row, "graver": graver})
    _open(connection, opened, batch_id, now)
    _grow(connection, grown)
    historic = sum(row["delivery"] == "historic" for row in opened)
    return Recorded(opened=len(opened) - historic, grown=len(grown), historic=historic)


def acknowledge(
    connection: duckdb.DuckDBPyConnection,
    alert_id: str,
    *,
    by: str,
    note: str | None,
    now: datetime,
) -> None:
    """Note that a person has seen an alert.

    Raises
    ------
    UnknownAlert
        No alert has this id.
    """
    find_alert(connection, alert_id)
    connection.execute(
        "update ops.alerts set status = case when status = 'closed' then status else "
        "'acknowledged' end, acknowledged_at = ?, acknowledged_by = ?, note = ? where alert_id = ?",
        [now, by, note, alert_id],
    )


def find_alert(connection: duckdb.DuckDBPyConnection, alert_id: str) -> dict[str, Any]:
    """One alert with all its columns.

    Raises
    ------
    UnknownAlert
        No alert has this id.
    """
    found = list_alerts(connection, where="alert_id = ?", parameters=[alert_id])
    if not found:
        raise UnknownAlert(f"no alert {alert_id!r}: see `shoal alerts --all`")
    return found[0]


def list_alerts(
    connection: duckdb.DuckDBPyConnection, *, where: str = "true", parameters: Sequence[Any] = ()
) -> list[dict[str, Any]]:
    """Alerts that meet a condition, the newest first."""
    cursor = connection.execute(
        f"select * from ops.alerts where {where} order by detected_at desc, alert_id",
        list(parameters),
    )
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _close(connection: duckdb.DuckDBPyConnection, over_since: datetime) -> None:
    over = "status = 'acknowledged' and last_seen_at < ?"
    if connection.execute(
        f"select 1 from ops.alerts where {over} limit 1", [over_since]
    ).fetchone():
        connection.execute(f"update ops.alerts set status = 'closed' where {over}", [over_since])


def _open(
    connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]], batch_id: int, now: datetime
) -> None:
    execute_with_rows(
        connection,
        "insert into ops.alerts by name select *, ? as batch_id, ? as recorded_at, "
        "'open' as status, 0 as delivery_attempts from given_rows",
        rows,
        [batch_id, now],
    )


def _grow(connection: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    news = ", ".join(f"{name} = grown.{name}" for name in _FINDING.split(", "))
    execute_with_rows(
        connection,
        f"update ops.alerts as alerts set {news}, delivery = case "
        "when grown.graver and alerts.delivery = 'delivered' then 'pending' "
        "else alerts.delivery end "
        "from given_rows as grown where alerts.alert_id = grown.alert_id",
        rows,
    )


def _values(finding: "Finding") -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "subject": finding.subject,
        "severity": finding.severity,
        "score": finding.score,
        "unusual": finding.unusual,
        "since": finding.since.to_pydatetime(),
        "detected_at": finding.detected_at.to_pydatetime(),
        "last_seen_at": finding.last_seen_at.to_pydatetime(),
        "message": finding.message,
        "event_ids": list(finding.rows),
    }
