"""How the rules stand: members, who entered and left within a day, or why one is disabled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import duckdb
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from orchestration.rules.conditions import Rows
from orchestration.rules.records import read_records
from orchestration.rules.rule import Rule

LATELY = timedelta(days=1)


@dataclass(frozen=True)
class RuleReport:
    """One rule; ``entered`` and ``left`` count stays that began and ended within a day."""

    rule: str
    title: str
    members: int
    entered: int
    left: int
    error: str | None


def read_report(connection: duckdb.DuckDBPyConnection) -> list[RuleReport]:
    """Every rule that was looked at, by name; a day ends at the instant of its evaluation."""
    counted = connection.execute(
        """
        select
            rules.rule,
            count(*) filter (where history.rule is not null and history.left_at is null),
            count(*) filter (where history.entered_at > rules.as_of - $lately),
            count(*) filter (where history.left_at > rules.as_of - $lately)
        from ops.segment_rules as rules
        left join marts.rule_segment_history as history on rules.rule = history.rule
        group by 1
        order by 1
        """,
        {"lately": LATELY},
    ).fetchall()
    records = read_records(connection)
    return [
        RuleReport(rule, records[rule].title or "", members, entered, left, records[rule].error)
        for rule, members, entered, left in counted
    ]


def unseen_types(connection: duckdb.DuckDBPyConnection, rules: Iterable[Rule]) -> list[str]:
    """Types of rows that rules count and of which there is none: a slip, or not landed yet."""
    seen: dict[str, set[str]] = {}
    notes = []
    for rule in rules:
        for place, leaf in rule.places():
            if not isinstance(leaf, Rows):
                continue
            table = leaf.table
            if table.name not in seen:
                rows = connection.execute(f"select distinct {table.type} from {table.name}")
                seen[table.name] = {type_ for (type_,) in rows.fetchall()}
            notes += [
                f'{rule.file}: {place}.{leaf.source}: there is no row of type "{type_}" so far'
                for type_ in leaf.types
                if type_ not in seen[table.name]
            ]
    return notes


def report_markdown(report: Sequence[RuleReport]) -> str:
    """The report as a table for Dagster's UI."""
    lines = ["| rule | members | entered in a day | left | error |", "|---|---|---|---|---|"]
    for each in report:
        error = (each.error or "").replace("|", "\\|").replace("\n", "<br>")
        lines.append(
            f"| {each.rule} | {each.members:,} | {each.entered:,} | {each.left:,} | {error} |"
        )
    return "\n".join(lines)


def print_report(console: Console, report: Sequence[RuleReport]) -> None:
    """Print the report for a person at a terminal, and below it the errors."""
    table = Table("rule", "title", "members", "entered in a day", "left", box=SIMPLE)
    table.columns[0].no_wrap = True
    for column in table.columns[2:]:
        column.justify = "right"
    for each in report:
        figures = [f"{each.members:,}", f"{each.entered:,}", f"{each.left:,}"]
        table.add_row(each.rule, each.title, *(["disabled"] if each.error else figures))
    console.print(table)
    for each in report:
        if each.error:
            console.print(each.error, style="yellow", markup=False)
