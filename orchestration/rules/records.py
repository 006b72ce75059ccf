"""What is on record of rules: their last evaluation, and who is in them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.clock import Clock
from orchestration.ingestion.sql import transaction
from orchestration.rules.compiler import Moment
from orchestration.rules.conditions import Rule


@dataclass(frozen=True)
class Record:
    """What became of a rule when it was last looked at; fields as in ``ops.segment_rules``."""

    rule: str
    title: str | None
    description: str | None
    rule_version: str | None
    error: str | None
    borders: tuple[float | None, ...]
    borders_as_of: datetime | None
    moment: Moment

    @classmethod
    def of_evaluated(
        cls, rule: Rule, borders: Sequence[float | None], of: datetime | None, moment: Moment
    ) -> "Record":
        texts = (rule.title, rule.description, rule.version)
        return cls(rule.name, *texts, None, tuple(borders), of, moment)

    @classmethod
    def of_disabled(cls, name: str, error: str, moment: Moment) -> "Record":
        return cls(name, None, None, None, error, (), None, moment)


_COLUMNS = (
    "rule, title, description, rule_version, error, borders, borders_as_of, "
    "as_of, batch_id, evaluated_at"
)
_HISTORY = "marts.rule_segment_history"
_DEPARTED = """
with known as (
    select customer_key from marts.rule_segment_history
    union
    select customer_key from marts.rule_segments
)
select customer_key
from known
anti join marts.customer_features using (customer_key)
"""
_ERASED = """
select unnest($departed)
except
select identifier_key from intermediate.identity_map
"""
_LOST = """
select customer_key, rule, false as entered
from marts.rule_segments
where not list_contains($evaluated, rule) or list_contains($departed, customer_key)
"""


def read_records(connection: duckdb.DuckDBPyConnection) -> dict[str, Record]:
    """The record of every rule, by name."""
    rows = connection.execute(f"select {_COLUMNS} from ops.segment_rules order by rule").fetchall()
    return {
        rule: Record(
            rule, title, text, version, error, tuple(borders or ()), borders_as_of, Moment(*moment)
        )
        for rule, title, text, version, error, borders, borders_as_of, *moment in rows
    }


@dataclass(frozen=True)
class Losses:
    """Stays that end for other reasons than a rule's own.

    Attributes
    ----------
    changes
        Members of rules that are not evaluated any more, and those who are nobody any more, as
        rows of ``customer_key``, ``rule`` and ``entered`` (false).
    erased
        Customers of whom no row is left. Whoever was merged into another still has an identity.
    """

    changes: pa.Table
    erased: tuple[str, ...]


def read_losses(connection: duckdb.DuckDBPyConnection, evaluated: Sequence[str]) -> Losses:
    """What has to go although no rule says so."""
    departed = [key for (key,) in connection.execute(_DEPARTED).fetchall()]
    erased: list[tuple[str]] = []
    if departed:
        erased = connection.execute(_ERASED, {"departed": departed}).fetchall()
    values = {"evaluated": list(evaluated), "departed": departed}
    lost = connection.execute(_LOST, values).to_arrow_table()
    return Losses(lost, tuple(key for (key,) in erased))


def write_changes(
    connection: duckdb.DuckDBPyConnection,
    changes: pa.Table,
    before: Mapping[str, Record],
    records: Mapping[str, Record],
    erased: Sequence[str],
    clock: Clock,
) -> None:
    """Carry changes out in one transaction: members, their history and the records of rules.

    The last evaluation as of an instant is the one that counts. So a stay that began at this very
    instant and does not hold leaves no trace, and one that ended at it and holds goes on.
    """
    values = [_row(record) for record in records.values()]
    with transaction(connection):
        connection.execute("delete from ops.segment_rules")
        if values:
            marks = ", ".join("?" * len(values[0]))
            connection.executemany(
                f"insert into ops.segment_rules ({_COLUMNS}) values ({marks})", values
            )
        if changes.num_rows:
            connection.register("rule_changes", changes)
            _leave(connection, clock.as_of)
            _enter(connection, clock)
            if any(record.moment.as_of == clock.as_of for record in before.values()):
                _continue(connection, clock.as_of)
        if any(
            name in before and record.rule_version != before[name].rule_version
            for name, record in records.items()
        ):
            _rename(connection, clock)
        if erased:
            connection.execute(
                f"delete from {_HISTORY} where list_contains(?, customer_key)",
                [list(erased)],
            )


def _leave(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    leavers = (
        "(customer_key, rule) in (select customer_key, rule from rule_changes where not entered)"
    )
    connection.execute(f"delete from marts.rule_segments where {leavers}")
    connection.execute(
        f"delete from {_HISTORY} where left_at is null and entered_at >= ? and {leavers}",
        [as_of],
    )
    connection.execute(
        f"update {_HISTORY} set left_at = ? where left_at is null and {leavers}",
        [as_of],
    )


def _enter(connection: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    connection.execute(
        """
        insert into marts.rule_segments by name
        select
            changes.customer_key,
            changes.rule,
            rules.title,
            $as_of as entered_at,
            rules.rule_version,
            $as_of as as_of,
            $batch_id as batch_id
        from rule_changes as changes
        inner join ops.segment_rules as rules using (rule)
        where changes.entered
        """,
        {"as_of": clock.as_of, "batch_id": clock.last_batch_id},
    )
    connection.execute(
        """
        insert into marts.rule_segment_history by name
        select customer_key, rule, ? as entered_at from rule_changes where entered
        """,
        [clock.as_of],
    )


def _continue(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    """Let stays that ended at this instant and began anew at it go on."""
    ended = f"select customer_key, rule from {_HISTORY} where left_at = $as_of"
    connection.execute(
        f"""
        update marts.rule_segments as members
        set entered_at = stays.entered_at
        from {_HISTORY} as stays
        where
            members.customer_key = stays.customer_key
            and members.rule = stays.rule
            and stays.left_at = $as_of
        """,
        {"as_of": as_of},
    )
    connection.execute(
        f"delete from {_HISTORY} "
        f"where left_at is null and entered_at = $as_of and (customer_key, rule) in ({ended})",
        {"as_of": as_of},
    )
    connection.execute(
        f"""
        update {_HISTORY} set left_at = null
        where
            left_at = $as_of
            and (customer_key, rule) in (select customer_key, rule from marts.rule_segments)
        """,
        {"as_of": as_of},
    )


def _rename(connection: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    """Let members of a rule that was changed, and who stay in it, say so."""
    connection.execute(
        """
        update marts.rule_segments as members
        set
            title = rules.title,
            rule_version = rules.rule_version,
            as_of = ?,
            batch_id = ?
        from ops.segment_rules as rules
        where members.rule = rules.rule and members.rule_version <> rules.rule_version
        """,
        [clock.as_of, clock.last_batch_id],
    )


def _row(record: Record) -> tuple[object, ...]:
    return (
        *(record.rule, record.title, record.description, record.rule_version, record.error),
        *(list(record.borders), record.borders_as_of),
        *(record.moment.as_of, record.moment.batch_id, record.moment.evaluated_at),
    )
