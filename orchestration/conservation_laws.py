"""The links of the chain from a landed file to the marts, each as a query for what is amiss.

Every query gives rows of ``place, expected, found``; none when the link holds.
"""

from collections.abc import Callable
from dataclasses import dataclass

from orchestration.conservation_marts import (
    customer_days,
    customers,
    days_so_far,
    feedback_signals,
    orders,
    sessions,
    touched_events,
)
from orchestration.conservation_scope import LEDGER, Scope
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.schema import raw_table
from orchestration.ingestion.sql import columns

NOTHING = "select '' as place, 0 as expected, 0 as found where false"
COUNTS = ("received", "accepted", "duplicates", "rejected")


@dataclass(frozen=True)
class Law:
    """One link.

    Attributes
    ----------
    query
        SQL for what breaks it, in a scope.
    of_tables
        Whether it compares tables that a run makes from raw: it holds once a run has carried
        every batch through.
    """

    name: str
    query: Callable[[Scope], str]
    of_tables: bool = False


def files_add_up(scope: Scope) -> str:
    return f"""
        select file as place, received as expected, accepted + duplicates + rejected as found
        from {LEDGER}
        where {scope.batches()} and received <> accepted + duplicates + rejected
    """


def batches_are_their_files(scope: Scope) -> str:
    sums = ", ".join(f"sum({name}) as {name}" for name in COUNTS)
    pairs = ", ".join(f"batches.{name}, files.{name} as {name}_of_files" for name in COUNTS)
    each = " union all ".join(
        f"select 'batch ' || batch_id || ', {name}' as place, "
        f"coalesce({name}, 0) as expected, coalesce({name}_of_files, 0) as found from compared"
        for name in COUNTS
    )
    return f"""
        with files as (
            select batch_id, {sums} from {LEDGER} where {scope.batches()} group by 1
        ),
        compared as (
            select coalesce(batches.batch_id, files.batch_id) as batch_id, {pairs}
            from (from ops.batches where {scope.batches()}) as batches
            full join files on batches.batch_id = files.batch_id
        )
        from ({each}) where expected <> found
    """


def raw_holds_what_was_accepted(scope: Scope) -> str:
    if not scope.fresh:
        return NOTHING
    held = " union all ".join(
        f"select '{name}' as entity, batch_id, file_hash, count(*) as rows "
        f"from {raw_table(ENTITIES[name])} where {scope.batches()} group by 2, 3"
        for name in scope.fresh
    )
    return f"""
        with held as ({held}),
        files as (
            select entity, batch_id, file_hash, any_value(file) as file, sum(accepted) as accepted
            from {LEDGER}
            where {scope.batches()}
            group by 1, 2, 3
        )
        select
            'raw.' || coalesce(held.entity, files.entity) || ' of '
            || coalesce(files.file, 'a file that the ledger does not have') as place,
            coalesce(files.accepted, 0) as expected,
            coalesce(held.rows, 0) as found
        from files
        full join held
            on
                files.entity = held.entity
                and files.batch_id is not distinct from held.batch_id
                and files.file_hash is not distinct from held.file_hash
        where expected <> found
    """


def totals_of_raw(scope: Scope) -> str:
    if not scope.known:
        return NOTHING
    counted = " union all ".join(
        f"select '{name}' as entity, count(*) as rows from {raw_table(ENTITIES[name])}"
        for name in scope.known
    )
    return f"""
        with files as (
            select entity, sum(accepted) as accepted from {LEDGER} group by 1
        )
        select 'raw.' || entity as place, coalesce(accepted, 0) as expected, rows as found
        from ({counted}) left join files using (entity)
        where expected <> found
    """


def quarantine_holds_what_was_rejected(scope: Scope) -> str:
    """A file that was rejected whole has one entry, without a row number, for all of its rows."""
    return f"""
        with kept as (
            select
                entity, batch_id, file_hash,
                any_value(file) as file, count(*) as entries, count(row_number) as rows
            from ops.rejected_rows
            where {scope.batches()}
            group by 1, 2, 3
        ),
        files as (from {LEDGER} where {scope.batches()} and not is_forgotten)
        select
            'ops.rejected_rows of ' || coalesce(files.file, kept.file) as place,
            coalesce(files.rejected, 0) as expected,
            case
                when kept.rows = 0 and kept.entries = 1 and files.received = files.rejected
                    then files.rejected
                else coalesce(kept.entries, 0)
            end as found
        from files
        full join kept
            on
                files.entity = kept.entity
                and files.batch_id = kept.batch_id
                and files.file_hash = kept.file_hash
        where expected <> found
    """


def nothing_is_in_raw_twice(scope: Scope) -> str:
    """Of a batch the counts tell it: ingestion took no key that was there."""
    if not scope.is_everything:
        return NOTHING
    each = " union all ".join(
        f"select 'raw.{name}' as place, "
        f"count(distinct row({columns(entity.key)})) as expected, count(*) as found "
        f"from {raw_table(entity)}"
        for name, entity in ENTITIES.items()
    )
    return f"from ({each}) where expected <> found"


def staging_has_every_row(scope: Scope) -> str:
    """Of products the newest row of each; of every other entity all rows."""
    each = [
        f"select 'staging.stg_{name}' as place, "
        f"(select count(*) from raw.{name} where {scope.batches()}) as expected, "
        f"(select count(*) from staging.stg_{name} where {scope.batches()}) as found"
        for name in scope.fresh
        if name != "products"
    ]
    if "products" in scope.fresh:
        fresh = f"(select product_ref from raw.products where {scope.batches()})"
        each.append(
            "select 'staging.stg_products' as place, "
            f"(select count(distinct product_ref) from {fresh}) as expected, "
            f"(select count(*) from staging.stg_products where product_ref in {fresh}) as found"
        )
    return f"from ({' union all '.join(each) or NOTHING}) where expected <> found"


LAWS = (
    Law("received = accepted + duplicates + rejected", files_add_up),
    Law("a batch is the sum of its files", batches_are_their_files),
    Law("raw holds what was accepted of each file", raw_holds_what_was_accepted),
    Law("raw holds what was accepted in all", totals_of_raw),
    Law("quarantine holds what was rejected", quarantine_holds_what_was_rejected),
    Law("no key is in raw twice", nothing_is_in_raw_twice),
    Law("staging has every row", staging_has_every_row, of_tables=True),
    Law("the run read every event of its batches", touched_events, of_tables=True),
    Law("every event is in one session", sessions, of_tables=True),
    Law("every order is there once, with its lines", orders, of_tables=True),
    Law("every feedback is there once, with its signals", feedback_signals, of_tables=True),
    Law("every row is on its customer's day", customer_days, of_tables=True),
    Law("a customer's days are as many as were counted", days_so_far, of_tables=True),
    Law("every customer is there once", customers, of_tables=True),
)
