"""Writing who entered and left: members, and the history of their stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.clock import Clock
from orchestration.ingestion.sql import transaction
from orchestration.rows import execute_with_rows
from orchestration.rules.records import RECORD_COLUMNS, Record

_HISTORY = "marts.rule_segment_history"


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
    names = RECORD_COLUMNS.split(", ")
    rows = [dict(zip(names, record.row(), strict=True)) for record in records.values()]
    with transaction(connection):
        connection.execute("delete from ops.segment_rules")
        execute_with_rows(
            connection, "insert into ops.segment_rules by name select * from given_rows", rows
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
