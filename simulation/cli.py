"""Command line of the simulated market; the only place that reads the wall clock."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from simulation.config import MarketConfig
from simulation.follow import follow
from simulation.market import simulate

_Out = Annotated[Path, typer.Option("--out", help="Landing folder to write to.")]


def _now() -> datetime:
    return datetime.now(UTC)


def market(
    out: _Out,
    truth: Annotated[Path | None, typer.Option(help="Folder for what is truly so.")] = None,
    customers: Annotated[int, typer.Option(help="Persons, 100 to 1,000,000.")] = 20_000,
    events: Annotated[int, typer.Option(help="Rows of events to aim at.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="Same seed, same market.")] = 7,
    end: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")] = "2026-09-30",
    days: Annotated[int, typer.Option(help="Length of the period in days.")] = 540,
    arrived: Annotated[
        str | None, typer.Option(help="UTC hour of arrival, like 2026-11-22T03; default: now.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--follow", help="Continue the market as a live feed.")
    ] = False,
    rate: Annotated[float, typer.Option(help="With --follow: events per second.")] = 50.0,
    batch_seconds: Annotated[float, typer.Option(help="With --follow: time per batch.")] = 5.0,
    seconds: Annotated[
        float | None, typer.Option("--for", help="With --follow: stop after so many seconds.")
    ] = None,
) -> None:
    """Write a market with known truth, or continue one live with --follow."""
    try:
        config = MarketConfig(customers, events, seed, date.fromisoformat(end), days)
        hour = datetime.strptime(arrived, "%Y-%m-%dT%H") if arrived else _now()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if live:
        _follow(config, out, rate, batch_seconds, seconds)
    elif truth is None:
        raise typer.BadParameter("name a folder for the truth: --truth FOLDER")
    else:
        _simulate(config, out, truth, hour)


def _simulate(config: MarketConfig, out: Path, truth: Path, arrived: datetime) -> None:
    columns = (TextColumn("simulating"), BarColumn(), TextColumn("{task.completed:,.0f} events"))
    with Progress(*columns, TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("events", total=config.events)
        summary = simulate(config, out, truth, arrived, lambda rows: bar.advance(task, rows))
    for entity, rows in sorted(summary.rows.items()):
        typer.echo(f"{entity:<12} {rows:>12,}")
    typer.echo(f"{len(summary.files)} files in {out}")


def _follow(
    config: MarketConfig, out: Path, rate: float, batch_seconds: float, seconds: float | None
) -> None:
    def report(rows: int) -> None:
        typer.echo(f"{_now():%H:%M:%S} {rows:,} events")

    try:
        follow(
            config, out, rate=rate, batch_seconds=batch_seconds, clock=_now, wait=time.sleep,
            seconds=seconds, progress=report,
        )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo("stopped")


def main() -> None:
    """Run the command line."""
    typer.run(market)
