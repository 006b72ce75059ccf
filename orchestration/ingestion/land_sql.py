"""SQL of a mapping's entity over one staged source, with failures kept beside each row."""

import difflib
from collections.abc import Iterable
from collections.abc import Mapping as Columns

from orchestration.ingestion.columns import ERRORS, ROW, SOURCE
from orchestration.ingestion.expressions import Expression
from orchestration.ingestion.mappings import SOURCE_ROW, EntityMapping, Mapping, MappingError
from orchestration.ingestion.sql import columns as listed
from orchestration.ingestion.sql import identifier, literal

STAGED = "staged_source"
PAYLOAD = "_payload"
UNREAD = "_unread"


def joined_table(name: str) -> str:
    """Name of the temporary table with the rows of a join."""
    return f"joined_{name}"


def check_columns(
    mapping: Mapping,
    entity: str,
    file: str,
    available: Iterable[str],
    joined: Columns[str, Iterable[str]],
) -> None:
    """Make sure that every column that an entity's expressions name exists.

    Raises
    ------
    MappingError
        Naming mapping, entity, column, file and the columns that exist.
    """
    names = list(available)
    known = {name.lower() for name in [*names, *mapping.columns, SOURCE_ROW]}
    structs = {name.lower(): {c.lower() for c in inner} for name, inner in joined.items()}
    places = {f"columns.{name}": expression for name, expression in mapping.columns.items()}
    places |= {f"{entity}.{place}": text for place, text in _expressions(mapping.entities[entity])}
    for place, expression in places.items():
        for path in expression.columns:
            first = path[0].lower()
            if first in known:
                continue
            if first in structs:
                if len(path) == 1 or path[1].lower() in structs[first]:
                    continue
                missing, has = path[1], sorted(structs[first])
                where = f"{first} (joined to {file})"
            else:
                missing, has, where = path[0], names, file
            close = difflib.get_close_matches(missing.lower(), [n.lower() for n in has], 1)
            guess = next((n for n in has if close and n.lower() == close[0]), None)
            hint = f'; did you mean "{guess}"?' if guess else ""
            raise MappingError(
                f'{mapping.title}: {place}: no column "{missing}" in {where} '
                f"(has: {', '.join(has)}{hint})"
            )


def entity_query(mapping: Mapping, entity: str, *, with_unread: bool) -> str:
    """SQL that gives an entity's rows, with row number, errors and source row.

    Parameters
    ----------
    with_unread
        Whether rows that the reader could not parse come along, to be put in quarantine.
    """
    rule = mapping.entities[entity]
    used = _used_columns(mapping, rule)
    joins = "\n".join(_join(name, join.using) for name, join in rule.join.items())
    structs = "".join(f", {joined_table(name)} as {identifier(name)}" for name in rule.join)
    derived = "".join(f", {_tried(text, f'_try_{name}')}" for name, text in used.items())
    plain = "".join(
        f", {_value(text, f'_try_{name}')} as {identifier(name)}" for name, text in used.items()
    )
    partition = ", ".join(f"({_closed(text)})" for text in rule.one_per)
    first = (
        f"qualify row_number() over (partition by {partition} order by {SOURCE_ROW}) = 1"
        if rule.one_per
        else ""
    )
    where = _tried(rule.where, "_try_where") if rule.where else "{'v': true} as _try_where"
    kept = "_try_where is null or coalesce(cast(_try_where.v as boolean), false)"
    if rule.where and rule.where.windowed:
        where, kept = f"(\n{_closed(rule.where)}) as _try_where", "coalesce(_try_where, false)"
    values = ", ".join(_tried(text, f"_try_{entity}_{name}") for name, text in rule.columns.items())
    failures = [_failure("where", rule.where, "_try_where")] if rule.where else []
    failures += [_failure(f"columns.{n}", text, f"_try_{n}") for n, text in used.items()]
    failures += [_failure(n, text, f"_try_{entity}_{n}") for n, text in rule.columns.items()]
    errors = ", ".join(failure for failure in failures if failure) or "cast(null as varchar)"
    result = ", ".join(
        f"{_value(text, f'_try_{entity}_{name}')} as {identifier(name)}"
        for name, text in rule.columns.items()
    )
    unread = f"""
        union all by name
        select {SOURCE_ROW} as {ROW}, [{UNREAD}] as {ERRORS}, {PAYLOAD} as {SOURCE}
        from {STAGED} where {UNREAD} is not null
    """
    return f"""
        with source as (
            select {STAGED}.*{structs} from {STAGED} {joins} where {UNREAD} is null
        ), tried as (
            select *{derived} from source
        ), derived as (
            select *{plain} from tried
        ), asked as (
            select *, {where} from derived
        ), filtered as (
            select * from asked where {kept} {first}
        ), valued as (
            select *, {values} from filtered
        ), judged as (
            select *, list_filter([{errors}], lambda error: error is not null) as {ERRORS}
            from valued
        ), result as (
            select {SOURCE_ROW} as {ROW}, {result}, {ERRORS},
                case when len({ERRORS}) > 0 then cast({PAYLOAD} as varchar) end as {SOURCE}
            from judged
        )
        select * from result {unread if with_unread else ""} order by {ROW}
    """


def _expressions(rule: EntityMapping) -> Iterable[tuple[str, Expression]]:
    if rule.where:
        yield "where", rule.where
    for expression in rule.one_per:
        yield "one_per", expression
    yield from rule.columns.items()


def _used_columns(mapping: Mapping, rule: EntityMapping) -> dict[str, Expression]:
    """The mapping's own columns that an entity's expressions name."""
    named = {path[0].lower() for _, text in _expressions(rule) for path in text.columns}
    return {name: text for name, text in mapping.columns.items() if name.lower() in named}


def _closed(expression: Expression) -> str:
    """The expression on lines of its own, so that a comment in it ends."""
    return f"\n{expression.text}\n"


def _tried(expression: Expression, name: str) -> str:
    """An expression that fails on a row is null there; one over windows cannot be caught."""
    if expression.windowed:
        return f"({_closed(expression)}) as {identifier(name)}"
    return f"try({{'v': ({_closed(expression)})}}) as {identifier(name)}"


def _value(expression: Expression, name: str) -> str:
    return identifier(name) if expression.windowed else f"{identifier(name)}.v"


def _failure(place: str, expression: Expression | None, name: str) -> str:
    if expression is None or expression.windowed:
        return ""
    message = literal(f"{place}: cannot be computed: {expression.text}")
    return f"case when {identifier(name)} is null then {message} end"


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
