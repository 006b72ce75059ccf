"""Telling people: every new alert goes to a file, and to the services that the settings name."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from orchestration.alert_records import list_alerts
from orchestration.lake import Lake
from orchestration.rows import execute_with_rows
from orchestration.settings import Settings

MAX_ATTEMPTS = 20
_TOLD = (
    "alert_id",
    "kind",
    "subject",
    "severity",
    "score",
    "unusual",
    "message",
    "since",
    "detected_at",
    "last_seen_at",
    "event_ids",
    "batch_id",
)

Send = Callable[[str, str], None]


class NotSent(RuntimeError):
    """A service did not take a message, or its URL is not understood."""


def deliver(
    lake: Lake, values: Settings, now: datetime, history: int, log: Callable[[str], None]
) -> int:
    """Tell every alert that waits, and sum history up in one message.

    What fails is recorded with its reason and tried again by the next run, `MAX_ATTEMPTS` times;
    it never stops a run. The file has a line per alert and time that it is told, so somebody who
    reads it may meet an ``alert_id`` twice.

    Parameters
    ----------
    history : int
        Alerts of the past that this run recorded and nobody is told one by one.

    Returns
    -------
    delivered : int
    """
    with lake.reader(latest=True) as connection:
        waiting = list_alerts(
            connection,
            where="delivery in ('pending', 'failed') and delivery_attempts < ?",
            parameters=[MAX_ATTEMPTS],
        )
    send = service(values.alert_urls)
    if history:
        summary = f"{history} alerts of the past were recorded: see `shoal alerts --all`"
        log(summary)
        _attempt(lambda: send("Shoal: alerts of the past", summary), log)
    if not waiting:
        return 0
    outcomes = []
    log("\n".join(map(_line, reversed(waiting))))  # a line each would be an event of the run each
    for alert in reversed(waiting):
        problem = _attempt(partial(_tell, values, send, alert), log)
        outcomes.append({"alert_id": alert["alert_id"], "problem": problem})
    with lake.writer("record deliveries") as connection:
        _record(connection, outcomes, now)
    return sum(outcome["problem"] is None for outcome in outcomes)


def service(urls: str) -> Send:
    """What sends a title and a text to the services that apprise URLs name, separated by commas.

    Without any it does nothing: the file is told anyway.
    """
    if not urls.strip():
        return lambda title, text: None

    def send(title: str, text: str) -> None:
        import apprise

        services = apprise.Apprise()
        if not services.add(urls):
            raise NotSent("SHOAL_ALERT_URLS: apprise does not understand one of the URLs")
        if not services.notify(title=title, body=text):
            raise NotSent("SHOAL_ALERT_URLS: a service did not take the message")

    return send


def write_line(path: Path, alert: dict[str, Any]) -> None:
    """Add an alert to the file, as one JSON object on a line of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {name: alert[name] for name in _TOLD}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(told, default=_text) + "\n")


def _tell(values: Settings, send: Send, alert: dict[str, Any]) -> None:
    write_line(values.alert_file, alert)
    send(f"Shoal: {alert['kind']} ({alert['severity']})", _line(alert))


def _attempt(action: Callable[[], None], log: Callable[[str], None]) -> str | None:
    """The reason why something could not be done, or None."""
    try:
        action()
    except (NotSent, OSError) as problem:
        log(f"not told: {problem}")
        return str(problem)
    return None


def _record(
    connection: duckdb.DuckDBPyConnection, outcomes: list[dict[str, Any]], now: datetime
) -> None:
    execute_with_rows(
        connection,
        "update ops.alerts as alerts set "
        "delivery = if(told.problem is null, 'delivered', 'failed'), "
        "delivery_error = told.problem, "
        "delivery_attempts = alerts.delivery_attempts + 1, "
        "delivered_at = if(told.problem is null, ?, alerts.delivered_at) "
        "from given_rows as told where alerts.alert_id = told.alert_id",
        outcomes,
        [now],
    )


def _line(alert: dict[str, Any]) -> str:
    return (
        f"{alert['severity']} {alert['kind']} of {alert['subject']}: {alert['message']} "
        f"({alert['unusual']}), since {alert['since']:%Y-%m-%d %H:%M}, alert {alert['alert_id']}"
    )


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def undelivered(connection: duckdb.DuckDBPyConnection) -> Sequence[dict[str, Any]]:
    """Alerts that were tried and not told."""
    return list_alerts(connection, where="delivery = 'failed'")
