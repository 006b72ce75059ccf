"""What a law looks at, a run's batches or everything, and the tables that laws share.

A statement that names a table of the lake costs some milliseconds, and one that names an empty
table 4 ms a column (measured). So the ledger and whom a run touched are read once, into temporary
tables, and entities that never had a row are not asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from orchestration.ingestion.entities import ENTITIES

LEDGER, TOUCHED, TOUCHED_REFS = "ledger_of_laws", "touched_of_laws", "touched_refs_of_laws"


@dataclass(frozen=True)
class Scope:
    """Batches, by number and both included; without them everything.

    Attributes
    ----------
    fresh, known
        Entities with a file in these batches, and with any accepted row.
    """

    first: int | None = None
    last: int | None = None
    fresh: tuple[str, ...] = field(default=tuple(ENTITIES), compare=False)
    known: tuple[str, ...] = field(default=tuple(ENTITIES), compare=False)

    @property
    def is_everything(self) -> bool:
        return self.first is None

    def batches(self, column: str = "batch_id") -> str:
        """SQL condition for rows of these batches."""
        if self.first is None or self.last is None:
            return "true"
        return f"{column} between {int(self.first)} and {int(self.last)}"


EVERYTHING = Scope()


@contextmanager
def shared_tables(
    connection: duckdb.DuckDBPyConnection, scope: Scope, *, with_touched: bool
) -> Iterator[Scope]:
    """Make the tables that laws share, and give the scope with its entities."""
    names = "entity, batch_id, file_hash, file, received, accepted, duplicates, rejected"
    connection.execute(
        f"create or replace temp table {LEDGER} as "
        f"select {names}, false as is_forgotten from ops.landed_files union all "
        f"select {names}, true from ops.forgotten_files"
    )
    if with_touched:
        _make_touched(connection, scope)
    try:
        if scope.is_everything:
            yield scope
            return
        entities = connection.execute(
            f"select entity, bool_or({scope.batches()}), sum(accepted) > 0 from {LEDGER} group by 1"
        ).fetchall()
        fresh = {name for name, is_fresh, _ in entities if is_fresh}
        known = {name for name, _, is_known in entities if is_known}
        yield Scope(
            *(scope.first, scope.last),
            tuple(name for name in ENTITIES if name in fresh),
            tuple(name for name in ENTITIES if name in known),
        )
    finally:
        for table in (LEDGER, TOUCHED, TOUCHED_REFS):
            connection.execute(f"drop table if exists temp.{table}")


def _make_touched(connection: duckdb.DuckDBPyConnection, scope: Scope) -> None:
    """Visitors with the instants from which the run computed them anew, and refs of customers."""
    connection.execute(
        f"create or replace temp table {TOUCHED} as "
        + (
            "select distinct customer_key as visitor_key, true as is_customer, "
            "timestamp '0001-01-01' as touched_from, timestamp '0001-01-01' as sessions_from "
            "from intermediate.identity_map where identifier_kind = 'customer'"
            if scope.is_everything
            else "select visitor_key, is_customer, touched_from, sessions_from "
            "from intermediate.int_touched_visitors"
        )
    )
    connection.execute(
        f"create or replace temp table {TOUCHED_REFS} as "
        "select identities.identifier_key as ref_key, identities.customer_key, "
        "cast(touched.touched_from as date) as first_day "
        "from intermediate.identity_map as identities "
        f"inner join {TOUCHED} as touched on identities.customer_key = touched.visitor_key "
        "where touched.is_customer and identities.identifier_kind = 'customer'"
    )
