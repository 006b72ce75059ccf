"""SQL, made from the entities, that converts a file's rows and names what is wrong with each."""

from collections.abc import Mapping

from orchestration.ingestion.cells import Cell
from orchestration.ingestion.columns import ColumnMatch
from orchestration.ingestion.entities import Entity
from orchestration.ingestion.reserved import ERRORS, ROW, SOURCE
from orchestration.ingestion.sources import Relation
from orchestration.ingestion.sql import columns, identifier


def checked_table(entity: Entity) -> str:
    """Name of the temporary table with an entity's converted rows and their reasons."""
    return f"temp.{identifier(f'checked_{entity.name}')}"


def create_checked_table(entity: Entity) -> str:
    """SQL for the table that takes converted rows; the good ones have no reasons.

    JSON is text here, since the bad rows are in the table too.
    """
    typed = ", ".join(
        f"{identifier(column.name)} {'varchar' if column.type == 'json' else column.type}"
        for column in entity.columns
    )
    name = checked_table(entity).removeprefix("temp.")
    return (
        f"create or replace temp table {name} (file_index bigint, ordinal bigint, "
        f"row_number bigint, {typed}, reasons varchar[], payload varchar)"
    )


def check_rows(
    entity: Entity, match: ColumnMatch, types: Mapping[str, str], relation: Relation
) -> str:
    """SQL that adds a file's rows to the checked table.

    Its named parameters are ``file_index``, ``arrival`` and ``latest`` (instants).
    """
    cells = {
        column.name: Cell(column, types[match.found[column.name]])
        for column in entity.columns
        if column.name in match.found
    }
    reserved = sorted(match.reserved)
    original = [f"{relation.values[match.found[name]]} as {cells[name].raw}" for name in cells]
    original += [f"{relation.values[name]} as {identifier(name)}" for name in reserved]
    trimmed = [cell.trimming() for cell in cells.values() if cell.textual]
    typed = [cell.conversion() for cell in cells.values()]
    values = [
        cells[column.name].typed if column.name in cells else f"cast(null as {column.type})"
        for column in entity.columns
    ]
    failed, reasons = _judgement(list(cells.values()), match)
    number = f"coalesce({identifier(ROW)}, ordinal)" if ROW in match.reserved else "ordinal"
    payload = f"coalesce({identifier(SOURCE)}, payload)" if SOURCE in match.reserved else "payload"
    return f"""
        insert into {checked_table(entity)}
            (file_index, ordinal, row_number, {columns(entity.column_names)}, reasons, payload)
        with original as (
            select {", ".join([f"{relation.row_number} as ordinal", *original])},
                cast({relation.payload} as varchar) as payload
            from {relation.query}
        ), trimmed as (
            select {", ".join(["*", *trimmed])} from original
        ), converted as (
            select {", ".join(["*", *typed])} from trimmed
        ), judged as (
            select *, case when {failed} then {reasons} end as reasons from converted
        )
        select $file_index, ordinal, {number}, {", ".join(values)}, reasons,
            case when reasons is not null then {payload} end
        from judged
        where $arrival is not null and $latest is not null
    """


def _judgement(cells: list[Cell], match: ColumnMatch) -> tuple[str, str]:
    """SQL for whether a row is bad, and for all its reasons."""
    failed = " or ".join(cell.is_bad() for cell in cells)
    listed = ", ".join(cell.reason() for cell in cells)
    reasons = f"list_filter([{listed}], lambda reason: reason is not null)"
    if ERRORS not in match.reserved:
        return failed, reasons
    errors = identifier(ERRORS)
    failed = f"coalesce(len({errors}), 0) > 0 or {failed}"
    return failed, _after_errors(errors, reasons)


def _after_errors(errors: str, reasons: str) -> str:
    """A mapping's errors, then the reasons that are not about the same columns.

    A row that the source's reader could not split into columns has nothing but its error.
    """
    named = f"list_transform({errors}, lambda error: split_part(error, ':', 1))"
    others = (
        f"list_filter({reasons}, "
        f"lambda reason: not list_contains({named}, split_part(reason, ':', 1)))"
    )
    return (
        f"case when coalesce(len({errors}), 0) = 0 then {reasons} "
        f"when starts_with({errors}[1], 'row:') then {errors} "
        f"else list_concat({errors}, {others}) end"
    )
