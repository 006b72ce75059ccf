"""Keyed hashes of identifiers, computed once per distinct value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from orchestration.ingestion.entities import Entity
from orchestration.ingestion.identifiers import (
    normal_email,
    normal_loyalty,
    normal_phone,
    placeholder_reason,
)
from orchestration.ingestion.sql import identifier

LENGTH = 20
LOYALTY_FIELDS = ("loyalty_ref", "loyalty_number", "loyalty_id", "loyalty_card")
READ_SCHEMA = pa.schema([(name, pa.string()) for name in ("source", "context", "normal", "reason")])


@dataclass(frozen=True)
class Spelling:
    """How the text of an identifier is found in a row and brought into one spelling.

    Attributes
    ----------
    kind
        As the reviewed placeholders name it.
    value, context
        SQL over a row: the text, and what else decides how it is read.
    normal
        The one spelling of a text in its context, or null.
    keeps_placeholders
        Whether a stand-in keeps its hash, with the reason beside it, or has none.
    """

    kind: str
    value: str
    context: str
    normal: Callable[[str | None, str | None], str | None]
    keeps_placeholders: bool = True


def _loyalty_text() -> str:
    """SQL for the first loyalty number that the attributes of a row hold."""
    fields = ", ".join(f"nullif(trim(attributes ->> '$.{name}'), '')" for name in LOYALTY_FIELDS)
    present = "json_valid(attributes) and contains(attributes, 'loyalty_')"
    return f"case when {present} then coalesce({fields}) end"


SPELLINGS: Mapping[str, Spelling] = {
    "email_key": Spelling("email", "email", "null", lambda text, _: normal_email(text)),
    "phone_key": Spelling("phone", "phone", "country", normal_phone),
    "loyalty_key": Spelling(
        *("loyalty", _loyalty_text(), "null", lambda text, _: normal_loyalty(text)),
        keeps_placeholders=False,
    ),
}


def keyed_hash(name: str, value: str) -> str:
    """SQL for the pseudonym ``name`` of a text; its named parameter is ``pseudonym_key``.

    The name keeps kinds of identifiers apart: customer 7 is not browser 7. The nested hash is the
    envelope of HMAC: knowing one pseudonym does not help to extend it.
    """
    inner = f"sha256($pseudonym_key || '{name}:' || {value})"
    return f"left(sha256($pseudonym_key || {inner}), {LENGTH})"


def register_identifiers(connection: duckdb.DuckDBPyConnection, entity: Entity, rows: str) -> None:
    """Read every distinct identifier of some rows, for the joins below."""
    for name in _spelled(entity):
        spelling = SPELLINGS[name]
        distinct = connection.execute(
            f"select distinct {spelling.value} as source, {spelling.context} as context "
            f"from {rows} where reasons is null and source is not null"
        ).fetchall()
        read = [
            {"source": source, "context": context, **_read(spelling, source, context)}
            for source, context in distinct
        ]
        connection.register(_read_name(name), pa.Table.from_pylist(read, READ_SCHEMA))


def forget_identifiers(connection: duckdb.DuckDBPyConnection, entity: Entity) -> None:
    """Free what was read."""
    for name in _spelled(entity):
        connection.unregister(_read_name(name))


def pseudonym_joins(entity: Entity, rows: str) -> tuple[list[str], str]:
    """SQL for an entity's pseudonym and placeholder columns and for the joins that provide them.

    Parameters
    ----------
    rows
        The relation ``rows`` that the joins extend is also where distinct values come from.
    """
    selected, joins, aliases = [], [], {}
    for number, (name, source) in enumerate(entity.pseudonyms.items()):
        alias = aliases[name] = f"hashed_{number}"
        selected.append(f"{alias}.pseudonym as {identifier(name)}")
        joins.append(
            _spelled_join(name, alias)
            if name in SPELLINGS
            else f"left join (select source, {keyed_hash(name, 'source')} as pseudonym from ("
            f"select distinct {identifier(source)} as source from {rows} "
            f"where {identifier(source)} is not null)) as {alias} "
            f"on {alias}.source = rows.{identifier(source)}"
        )
    for name, pseudonym in entity.placeholders.items():
        selected.append(f"{aliases[pseudonym]}.reason as {identifier(name)}")
    return selected, "\n".join(joins)


def _spelled_join(name: str, alias: str) -> str:
    spelling = SPELLINGS[name]
    return (
        f"left join (select source, context, reason, {keyed_hash(name, 'normal')} as pseudonym "
        f"from {_read_name(name)}) as {alias} on {alias}.source = {spelling.value} "
        f"and {alias}.context is not distinct from {spelling.context}"
    )


def _read(spelling: Spelling, source: str, context: str | None) -> dict[str, str | None]:
    normal = spelling.normal(source, context)
    reason = placeholder_reason(spelling.kind, normal)
    kept = normal if reason is None or spelling.keeps_placeholders else None
    return {"normal": kept, "reason": reason}


def _spelled(entity: Entity) -> list[str]:
    return [name for name in entity.pseudonyms if name in SPELLINGS]


def _read_name(name: str) -> str:
    return f"read_{name}"
