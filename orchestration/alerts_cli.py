"""``shoal alerts``: what is unusual, and who has seen it."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import duckdb
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from orchestration.alert_records import UnknownAlert, acknowledge, find_alert, list_alerts
from orchestration.lake import Lake, LakeNotFound

app = typer.Typer(invoke_without_command=True, help=__doc__)

AlertId = Annotated[str, typer.Argument(help="The alert_id that the list shows.")]


@app.callback()
def list_open(
    context: typer.Context,
    everything: Annotated[
        bool, typer.Option("--all", help="Acknowledged, closed and historic ones too.")
    ] = False,
    rows: Annotated[int, typer.Option(min=1, help="Alerts to list at most.")] = 50,
) -> None:
    """List the alerts that nobody has acknowledged, the newest first."""
    if context.invoked_subcommand is not None:
        return
    where = "true" if everything else "status = 'open' and delivery <> 'historic'"
    with _refusals(), Lake.from_settings().reader(latest=True) as connection:
        print_alerts(Console(highlight=False), list_alerts(connection, where=where), rows)


@app.command()
def show(alert_id: AlertId) -> None:
    """Show everything that is known of an alert, with the ids of its events."""
    with _refusals(), Lake.from_settings().reader(latest=True) as connection:
        alert = find_alert(connection, alert_id)
    table = Table(box=SIMPLE, show_header=False)
    for name, value in alert.items():
        if value not in (None, []):
            table.add_row(name, "\n".join(value) if isinstance(value, list) else _said(value))
    Console(highlight=False).print(table)


@app.command()
def ack(
    alert_id: AlertId,
    note: Annotated[str | None, typer.Option(help="What it was, for whoever asks later.")] = None,
) -> None:
    """Acknowledge an alert: it is listed no more, and closed once nothing more is seen of it."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with _refusals(), Lake.from_settings().writer("acknowledge an alert") as connection:
        acknowledge(connection, alert_id, by=getpass.getuser(), note=note, now=now)
    typer.echo(f"{alert_id}: acknowledged")


def print_alerts(console: Console, alerts: Sequence[dict[str, Any]], rows: int) -> None:
    """Print alerts as a table, for people."""
    if not alerts:
        console.print("no alerts")
        return
    table = Table(box=SIMPLE)
    for name in ("alert", "since", "severity", "status"):
        table.add_column(name, no_wrap=True)
    table.add_column("what")
    for alert in alerts[:rows]:
        table.add_row(
            alert["alert_id"],
            _said(alert["since"]),
            alert["severity"],
            alert["status"],
            f"{alert['kind']} of {alert['subject']}: {alert['message']}",
        )
    console.print(table)
    if len(alerts) > rows:
        console.print(f"{len(alerts) - rows} more: --rows {len(alerts)}")


def _said(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (LakeNotFound, UnknownAlert, duckdb.Error) as problem:
        Console(stderr=True).print(
            str(problem), style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(1) from None
