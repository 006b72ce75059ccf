"""What a run of the main job came to, readable in one look."""

from collections.abc import Mapping, Sequence

import dagster as dg
import duckdb
from rich.console import Console
from rich.table import Table

from ml.tasks import QUESTIONS
from ml.words import MEASURES, MODELS
from orchestration.champions import Champion, load_champions, load_event_champions
from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.rules.report import print_report, read_report
from orchestration.settings import Settings
from orchestration.training_dates import Skipped, read_skipped_tasks


def print_summary(
    console: Console,
    lake: Lake,
    values: Settings,
    checks: Sequence[dg.AssetCheckEvaluation],
    seconds: float,
) -> None:
    """Print rows, customers, models beside their baselines, segments, checks and where to look."""
    with lake.reader() as connection:
        _print_rows(console, connection)
        champions = load_champions(Registry(values)) | load_event_champions(Registry(values))
        _print_models(console, champions, read_skipped_tasks(connection))
        _print_segments(console, connection)
        console.rule("rule segments")
        print_report(console, read_report(connection))
        _print_examples(console, connection)
    _print_checks(console, checks)
    console.rule("where to look")
    console.print(f"reports   {values.reports}")
    console.print('queries   .venv/bin/shoal sql "from marts.customer_scores"')
    console.print("UI        make dev, then http://localhost:3000")
    console.print(f"done in {seconds:.0f} s")


def _print_rows(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    console.rule("rows")
    table = Table("entity", "files", "received", "accepted", "duplicates", "rejected")
    for column in table.columns[1:]:
        column.justify = "right"
    rows = connection.execute(
        """
        select entity, count(*), sum(received), sum(accepted), sum(duplicates), sum(rejected)
        from ops.landed_files
        group by rollup (entity)
        order by entity nulls last
        """
    ).fetchall()
    for entity, *figures in rows:
        table.add_row(entity or "all", *(f"{int(figure or 0):,}" for figure in figures))
    console.print(table)
    row = connection.execute(
        """
        select
            (select count(*) from marts.customers),
            (select count(*) from marts.customer_scores),
            (select as_of from ops.clock)
        """
    ).fetchone()
    assert row is not None
    console.print(f"{row[0]:,} customers, {row[1]:,} with features and scores, as of {row[2]}")


def _print_models(
    console: Console, champions: dict[str, Champion], skipped: Mapping[str, Skipped]
) -> None:
    console.rule("models, on customers of a later time")
    for each in skipped.values():
        console.print(f"{each.task} is not trained: {each.reason}", markup=False)
    if not champions:
        console.print("no model scores: the checks below say what is missing")
        return
    table = Table("model", "measure", "this model", "baselines", "verdict")
    for task, champion in champions.items():
        model, measure = champion.trained(), QUESTIONS[task].headline
        figures = model.metrics[model.metrics["metric"] == measure].set_index("model")
        own = figures.loc["model"]
        others = "\n".join(
            f"{words} {float(figures['value'][name]):.3f}"
            for name, words in MODELS.items()
            if name in figures.index
        )
        table.add_row(
            f"{champion.version.label}\n{model.horizon_days} days, {model.test_date[:10]}",
            MEASURES[measure].words,
            f"{own.value:.3f} ({own.low:.3f} to {own.high:.3f})",
            others,
            "\n".join(str(verdict) for verdict in model.verdicts),
        )
    console.print(table)
    for measure in dict.fromkeys(QUESTIONS[task].headline for task in champions):
        console.print(f"{MEASURES[measure].words}: {MEASURES[measure].meaning}", markup=False)


def _print_segments(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    console.rule("segments")
    rows = connection.execute(
        """
        select
            segments.segment_id, segments.segment_name, count(*),
            100.0 * count(*) / sum(count(*)) over (),
            median(features.days_since_last_order), avg(features.revenue_total)
        from marts.customer_segments as segments
        inner join marts.customer_features as features
            on segments.customer_key = features.customer_key
        group by 1, 2
        order by 1
        """
    ).fetchall()
    if not rows:
        console.print("no segments: too few customers with orders")
        return
    table = Table("id", "segment", "customers", "share", "days since order", "spend, mean")
    for number, name, customers, share, recency, revenue in rows:
        table.add_row(
            str(number),
            name,
            f"{customers:,}",
            f"{share:.0f} %",
            "" if recency is None else f"{recency:.0f}",
            f"{revenue:,.0f}",
        )
    console.print(table)


def _print_examples(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute(
        """
        select customer_key, churn_probability, expected_value, top_reasons
        from marts.customer_scores
        where churn_probability >= 0.5
        order by expected_value desc
        limit 3
        """
    ).fetchall()
    if rows:
        console.rule("most valuable of those likely to leave")
    for key, churn, value, reasons in rows:
        console.print(f"{key}  churn {churn:.2f}, worth {value:,.0f}: {'; '.join(reasons)}")


def _print_checks(console: Console, checks: Sequence[dg.AssetCheckEvaluation]) -> None:
    console.rule("checks")
    failed = [check for check in checks if not check.passed]
    console.print(f"{len(checks) - len(failed)} passed, {len(failed)} failed")
    for check in failed:
        where = check.asset_key.to_user_string()
        console.print(
            f"  {check.severity.value} {where}: {check.check_name} {check.description or ''}",
            style="yellow",
            markup=False,
        )
