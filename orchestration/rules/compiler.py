"""Rules as SQL: one query that finds who enters and who leaves which of them.

The texts of rules are spliced in as they were parsed, in parentheses; every value is bound.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from orchestration.ingestion.expressions import Expression
from orchestration.ingestion.sql import identifier
from orchestration.rules.conditions import AllOf, AnyOf, Condition, Fact, Rank, Rows
from orchestration.rules.rule import Rule
from orchestration.rules.tables import FACTS, ROWS, Columns, column_names
from orchestration.rules.windows import Moment, RowSet, Values, spliced

Borders = Mapping[str, Sequence[float | None]]
"""Of each rule, the value at the border of each of its ranks, in their order."""


@dataclass(frozen=True)
class Query:
    """A statement with its values."""

    text: str
    values: Mapping[str, object]


def compile_changes(
    rules: Sequence[Rule],
    borders: Borders,
    facts: Columns,
    as_of: datetime,
    since: Moment | None,
) -> Query:
    """Who is in a rule and not among its members, or the reverse.

    The query gives ``customer_key``, ``rule`` and ``entered``: whether they enter or leave.

    Parameters
    ----------
    since
        The evaluation before. Looked at is then who can have changed: whose features or scores
        were computed later, and of whom a row that a rule counts has since come into its window
        or dropped out of it. Everyone else would come out as before. None looks at everyone.
    """
    values = Values()
    row_sets = [RowSet(name, table, rules, as_of, since, values) for name, table in ROWS.items()]
    row_sets = [rows for rows in row_sets if rows.conditions]
    touched = "select customer_key from marts.customer_features"
    if since is not None:
        touched = "\n    union\n    ".join(
            [
                "select customer_key from marts.customer_features where "
                f"as_of > {values.bind(since.as_of)} or batch_id > {values.bind(since.batch_id)}",
                "select customer_key from marts.customer_scores where "
                f"scored_at > {values.bind(since.evaluated_at)}",
                *(rows.crossing() for rows in row_sets),
            ]
        )
    counts = {id(leaf): sql for rows in row_sets for leaf, sql in rows.counts()}
    names = [
        f"case when {_holds(rule, borders.get(rule.name, ()), counts, values)} "
        f"then {values.bind(rule.name)} end"
        for rule in rules
    ]
    joins = [f"left join {rows.name}_counts using (customer_key)" for rows in row_sets]
    text = ",\n".join(
        [
            f"touched as materialized (\n    {touched}\n)",
            *(rows.visible() for rows in row_sets),
            *(rows.counted() for rows in row_sets),
            _facts(facts, [e for r in rules for e in _fact_expressions(r)]),
            "matches as (\n    select customer_key, unnest([\n        "
            + ",\n        ".join(names)
            + "\n    ]) as rule\n    from touched\n    inner join facts using (customer_key)\n    "
            + "\n    ".join(joins)
            + "\n)",
            "members as (\n    select customer_key, rule from marts.rule_segments\n"
            f"    where rule in ({', '.join(values.bind(rule.name) for rule in rules)})\n"
            "    and customer_key in (select customer_key from touched)\n)",
            "found as (\n    select customer_key, rule from matches where rule is not null\n)",
        ]
    )
    return Query(
        f"with {text}\n"
        "select customer_key, rule, found.rule is not null as entered\n"
        "from found full join members using (customer_key, rule)\n"
        "where found.rule is null or members.rule is null",
        values.bound,
    )


def compile_borders(rules: Sequence[Rule], facts: Columns) -> Query:
    """The borders of all ranks of some rules, a column each, in their order."""
    values = Values()
    ranks = [leaf for rule in rules for leaf in rule.leaves if isinstance(leaf, Rank)]
    columns = [
        f"quantile_cont(cast({spliced(rank.by)} as double), {values.bind(rank.quantile)})"
        + (f" filter (where {spliced(rank.among)})" if rank.among is not None else "")
        for rank in ranks
    ]
    source = _facts(facts, [e for rank in ranks for e in rank.expressions().values()])
    return Query(f"with {source}\nselect {', '.join(columns)}\nfrom facts", values.bound)


def _holds(
    rule: Rule, borders: Sequence[float | None], counts: Mapping[int, str], values: Values
) -> str:
    ranks = count()

    def sql(condition: Condition) -> str:
        if isinstance(condition, AllOf):
            return "(" + " and ".join(map(sql, condition.all)) + ")"
        if isinstance(condition, AnyOf):
            return "(" + " or ".join(map(sql, condition.any)) + ")"
        if isinstance(condition, Fact):
            return spliced(condition.where)
        if isinstance(condition, Rank):
            sign = ">" if condition.top is not None else "<"
            among = "" if condition.among is None else f" and {spliced(condition.among)}"
            border = values.bind(borders[next(ranks)])
            return f"({spliced(condition.by)} {sign} {border}{among})"
        return _within_bounds(condition, counts[id(condition)], values)

    return sql(rule.condition)


def _within_bounds(condition: Rows, counted: str, values: Values) -> str:
    at_least = condition.at_least
    if at_least is None and condition.at_most is None:
        at_least = 1
    parts = [] if at_least is None else [f"{counted} >= {values.bind(at_least)}"]
    if condition.at_most is not None:
        parts.append(f"{counted} <= {values.bind(condition.at_most)}")
    return "(" + " and ".join(parts) + ")"


def _fact_expressions(rule: Rule) -> Iterator[Expression]:
    for leaf in rule.leaves:
        if not isinstance(leaf, Rows):
            yield from leaf.expressions().values()


def _facts(facts: Columns, expressions: Sequence[Expression]) -> str:
    """A CTE with one row per customer and the columns that expressions name."""
    names = dict.fromkeys(name for each in expressions for name in column_names(each))
    names.pop("customer_key", None)
    columns = [
        "customer_features.customer_key",
        *(f"{facts.owners[name].partition('.')[2]}.{identifier(name)}" for name in names),
    ]
    joined = [
        f"\n    left join {table} using (customer_key)"
        for table in dict.fromkeys(facts.owners[name] for name in names)
        if table != FACTS[0]
    ]
    return (
        "facts as (\n    select "
        + ",\n        ".join(columns)
        + f"\n    from {FACTS[0]}"
        + "".join(joined)
        + "\n)"
    )
