"""Metrics by minute and hour: which values are new, and what a detector says of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from ml.anomalies_metric import MetricDetector, MetricSettings, Reading

if TYPE_CHECKING:
    from ml.anomalies import Finding

SETTLE = timedelta(minutes=10)
"""How long a minute or an hour is left open for rows that come late."""
TOLD_FROM = 1.1
"""About the threshold that is best on the Numenta Anomaly Benchmark (1.09)."""
HIGH_FROM = 2.5
SOURCES = {
    "orders": ("marts.orders", "ordered_at", "1", "status = 'completed'"),
    "revenue": ("marts.orders", "ordered_at", "net_amount", "status = 'completed'"),
    "errors": (
        "staging.stg_events",
        "occurred_at",
        "1",
        "(event_type like '%\\_failed' escape '\\' or event_type like '%error%')",
    ),
    "sign_ups": ("marts.customers", "signed_up_at", "1", "true"),
}


@dataclass(frozen=True)
class Grain:
    """How finely metrics are watched, and how much of the past a new detector learns from."""

    name: str
    length: timedelta
    warm_up: timedelta

    @property
    def day_rows(self) -> int:
        return timedelta(days=1) // self.length

    def floor(self, instant: datetime) -> datetime:
        """The beginning of the minute or hour."""
        return instant - (instant - datetime(1970, 1, 1)) % self.length


GRAINS = (
    Grain("minute", timedelta(minutes=1), timedelta(days=14)),
    Grain("hour", timedelta(hours=1), timedelta(days=120)),
)


@dataclass(frozen=True)
class MetricState:
    """One row of ``ops.metric_states``."""

    metric: str
    grain: str
    settled_until: datetime
    unit: float
    memory: tuple[float, ...]


def watch_metrics(
    connection: duckdb.DuckDBPyConnection, as_of: datetime
) -> tuple[list[MetricState], list["Finding"]]:
    """Judge every minute and hour that has ended since the last run.

    A metric that was not watched for longer than its warm-up begins anew.

    Returns
    -------
    states : list of MetricState
        Those that have moved on.
    findings : list of Finding
    """
    known = {
        (row[0], row[1]): MetricState(row[0], row[1], row[2], row[3], tuple(row[4]))
        for row in connection.execute(
            "select metric, grain, settled_until, unit, memory from ops.metric_states"
        ).fetchall()
    }
    states: list[MetricState] = []
    findings: list[Finding] = []
    for grain in GRAINS:
        until = grain.floor(as_of - SETTLE)
        waiting = {
            metric: None if state is None or state.settled_until < until - grain.warm_up else state
            for metric in SOURCES
            for state in [known.get((metric, grain.name))]
            if state is None or state.settled_until < until
        }
        if not waiting:
            continue
        first = min(_read_from(grain, state, until) for state in waiting.values())
        values = _values(connection, grain, first, until)
        for metric, state in waiting.items():
            behind = (_read_from(grain, state, until) - first) // grain.length
            moved, found = _watch(connection, metric, grain, state, until, values[metric][behind:])
            states.append(moved)
            findings += found
    return states, findings


def _read_from(grain: Grain, state: MetricState | None, until: datetime) -> datetime:
    """From when on a detector needs values."""
    if state is None:
        return until - grain.warm_up
    return state.settled_until - MetricSettings(day_rows=grain.day_rows).kept_rows * grain.length


def _watch(
    connection: duckdb.DuckDBPyConnection,
    metric: str,
    grain: Grain,
    state: MetricState | None,
    until: datetime,
    values: list[float],
) -> tuple[MetricState, list["Finding"]]:
    if state is None:  # nothing is learnt from the time before a metric began
        silent = next((row for row, value in enumerate(values) if value), len(values))
        start = until - grain.warm_up + silent * grain.length
        unit = _unit(connection, metric, start, until)
        before, values = 0, values[silent:]
    else:
        start, unit = state.settled_until, state.unit
        before = len(values) - (until - start) // grain.length
    settings = MetricSettings(day_rows=grain.day_rows, unit=unit)
    detector = MetricDetector(settings, values[:before], state.memory if state else None)
    readings = [detector.update(value) for value in values[before:]]
    moved = MetricState(metric, grain.name, until, unit, detector.memory)
    return moved, metric_findings(metric, grain, start, readings)


def metric_findings(
    metric: str, grain: Grain, start: datetime, readings: list[Reading]
) -> list["Finding"]:
    """What a detector told of values that begin at an instant, as findings."""
    import pandas as pd

    from ml.anomalies import Finding

    findings = []
    for row, reading in enumerate(readings):
        if reading.told < TOLD_FROM:
            continue
        begin = pd.Timestamp(start + row * grain.length)
        end = begin + grain.length
        way = "above" if reading.value > reading.expected else "below"
        span = "" if reading.view == "season" else " on average of late"
        findings.append(
            Finding(
                kind=f"{metric}_per_{grain.name}",
                subject=metric,
                severity="high" if reading.told >= HIGH_FROM else "medium",
                score=reading.told / TOLD_FROM,
                unusual=f"{reading.told:.1f} times the largest deviation of late",
                since=begin,
                detected_at=end,
                last_seen_at=end,
                message=(
                    f"{metric.replace('_', '-')} per {grain.name} {way} the usual: "
                    f"{reading.value:,.6g}{span}, expected {reading.expected:,.6g}"
                ),
            )
        )
    return findings


def _values(
    connection: duckdb.DuckDBPyConnection, grain: Grain, start: datetime, until: datetime
) -> dict[str, list[float]]:
    """One value per metric and minute or hour, 0 where nothing happened."""
    happenings = " union all ".join(
        f"select '{metric}' as metric, {at} as happened_at, {amount} as amount "
        f"from {table} where {at} >= $start and {at} < $until and {where}"
        for metric, (table, at, amount, where) in SOURCES.items()
    )
    rows = connection.execute(
        f"""
        select
            metric,
            cast(floor(epoch(happened_at - $start) / $seconds) as bigint) as number,
            cast(sum(amount) as double)
        from ({happenings})
        group by 1, 2
        """,
        {"start": start, "until": until, "seconds": grain.length.total_seconds()},
    ).fetchall()
    values = {metric: [0.0] * ((until - start) // grain.length) for metric in SOURCES}
    for metric, number, value in rows:
        values[metric][number] = value or 0.0
    return values


def _unit(
    connection: duckdb.DuckDBPyConnection, metric: str, start: datetime, until: datetime
) -> float:
    """What one happening adds: mean square over mean of the amounts, 1 for counts."""
    table, at, amount, where = SOURCES[metric]
    row = connection.execute(
        f"select avg({amount} * {amount}) / nullif(avg({amount}), 0) from {table} "
        f"where {at} >= ? and {at} < ? and {where}",
        [start, until],
    ).fetchone()
    return float(row[0]) if row is not None and row[0] else 1.0
