"""SQL of a mapping's entity over one staged source, with failures kept beside each row."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestration.ingestion.expressions import SOURCE_ROW, Expression
from orchestration.ingestion.land_checks import expressions
from orchestration.ingestion.mappings import Mapping
from orchestration.ingestion.reserved import ERRORS, ROW, SOURCE
from orchestration.ingestion.sql import columns as listed
from orchestration.ingestion.sql import identifier, literal

STAGED = "staged_source"
PAYLOAD = "_payload"
UNREAD = "_unread"


def joined_table(name: str) -> str:
    """Name of the temporary table with the rows of a join."""
    return f"joined_{name}"


@dataclass(frozen=True)
class Trial:
    """An expression whose failure on a row is kept as a reason; one over windows cannot fail so.

    Attributes
    ----------
    place
        Where the mapping has it.
    name
        Of the column that holds its value.
    """

    place: str
    name: str
    expression: Expression

    def column(self) -> str:
        """SQL for the column: a struct with the value, null where the expression fails."""
        if self.expression.windowed:
            return f", {{'v': ({_closed(self.expression)})}} as {identifier(self.name)}"
        return f", try({{'v': ({_closed(self.expression)})}}) as {identifier(self.name)}"

    def value(self) -> str:
        return f"{identifier(self.name)}.v"

    def failed(self) -> str:
        return f"{identifier(self.name)} is null"

    def failure(self) -> str:
        """SQL for the reason, null where there is none."""
        message = literal(f"{self.place}: cannot be computed: {self.expression.text}")
        return f"case when {self.failed()} then {message} end"


def entity_query(mapping: Mapping, entity: str, *, with_unread: bool) -> str:
    """SQL that gives an entity's rows, with row number, errors and source row.

    A row of which it cannot be said whether it counts, or what it belongs to, is kept with its
    errors; among rows of one kind (``one_per``) the first without errors counts.

    Parameters
    ----------
    with_unread
        Whether rows that the reader could not parse come along, to be put in quarantine.
    """
    rule = mapping.entities[entity]
    derived = _derived(mapping, [text for _, text in expressions(rule)])
    asked = [Trial("one_per", f"_key_{n}", text) for n, text in enumerate(rule.one_per)]
    keys = ", ".join(trial.value() for trial in asked)
    if rule.where:
        asked.append(Trial("where", "_where", _as_boolean(rule.where)))
    decisive = [*asked, *_derived(mapping, [trial.expression for trial in asked])]
    undecided = " or ".join(trial.failed() for trial in decisive) or "false"
    wanted = "coalesce(_where.v, false)" if rule.where else "true"
    values = [Trial(name, f"_value_{name}", text) for name, text in rule.columns.items()]
    errors = ", ".join(trial.failure() for trial in (*asked, *derived, *values))
    order = f"len({ERRORS}) > 0, {SOURCE_ROW}"
    first = f"row_number() over (partition by {keys} order by {order}) = 1 or _undecided"
    structs = "".join(f", {joined_table(name)} as {identifier(name)}" for name in rule.join)
    joins = "\n".join(_join(name, join.using) for name, join in rule.join.items())
    named = "".join(
        f", {trial.value()} as {identifier(trial.place.removeprefix('columns.'))}"
        for trial in derived
    )
    result = ", ".join(f"{trial.value()} as {identifier(trial.place)}" for trial in values)
    unread = f"""
        union all by name
        select {SOURCE_ROW} as {ROW}, [{UNREAD}] as {ERRORS}, {PAYLOAD} as {SOURCE}
        from {STAGED} where {UNREAD} is not null
    """
    return f"""
        with source as (
            select {STAGED}.*{structs} from {STAGED} {joins} where {UNREAD} is null
        ), tried as (
            select *{_columns(derived)} from source
        ), named as (
            select *{named} from tried
        ), asked as (
            select *{_columns(asked)} from named
        ), filtered as (
            select *, {undecided} as _undecided from asked where {undecided} or {wanted}
        ), valued as (
            select *{_columns(values)} from filtered
        ), judged as (
            select *, list_filter([{errors}], lambda error: error is not null) as {ERRORS}
            from valued
        ), chosen as (
            select * from judged {f"qualify {first}" if keys else ""}
        ), result as (
            select {SOURCE_ROW} as {ROW}, {result}, {ERRORS},
                case when len({ERRORS}) > 0 then {PAYLOAD} end as {SOURCE}
            from chosen
        )
        select * from result {unread if with_unread else ""} order by {ROW}
    """


def _derived(mapping: Mapping, used_by: Iterable[Expression]) -> list[Trial]:
    """The mapping's own columns that some expressions name."""
    named = {path[0].lower() for text in used_by for path in text.columns}
    return [
        Trial(f"columns.{name}", f"_column_{name}", text)
        for name, text in mapping.columns.items()
        if name.lower() in named
    ]


def _columns(trials: Iterable[Trial]) -> str:
    return "".join(trial.column() for trial in trials)


def _as_boolean(where: Expression) -> Expression:
    return replace(where, text=f"cast((\n{where.text}\n) as boolean)")


def _closed(expression: Expression) -> str:
    """The expression on lines of its own, so that a comment in it ends."""
    return f"\n{expression.text}\n"


def _join(name: str, on: Iterable[str]) -> str:
    table = joined_table(name)
    same = " and ".join(
        f"{table}.{identifier(column)} = {STAGED}.{identifier(column)}" for column in on
    )
    return f"left join {table} on {same}"


def distinct_join_rows(name: str, on: tuple[str, ...], query: str) -> str:
    """SQL for a join's table: the first row of each key, so that a join adds no rows."""
    return (
        f"create or replace temp table {joined_table(name)} as "
        f"select * exclude (_number) from ({query}) "
        f"qualify row_number() over (partition by {listed(on)} order by _number) = 1"
    )
