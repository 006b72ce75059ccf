"""Nothing lost and nothing twice, from a landed file to the marts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.clock import read_clock
from orchestration.conservation_laws import COUNTS, LAWS, Law
from orchestration.conservation_scope import EVERYTHING, Scope, shared_tables
from orchestration.ingestion.sql import at_one_moment, scalar
from orchestration.lake import Lake

SHOWN = 20
READ_BYTES = 1 << 22
COLLECTED = "/collector-"
REMEDY = (
    "Nothing of it is published. Where raw is right and a table is not, run rebuild_job; where "
    "ledger and raw differ, take the lake back from a backup or replay the file."
)


class NotConserved(AssertionError):
    """Rows were lost, or are there twice."""


@dataclass(frozen=True)
class Break:
    """One place where a law does not hold."""

    law: str
    place: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.law}: {self.place}: {self.expected:,} expected, {self.found:,} found"


@dataclass(frozen=True)
class Outcome:
    """What a look at the laws found.

    Attributes
    ----------
    breaks
        At most `SHOWN` of each law.
    with_tables
        Whether the tables made from raw were compared too; not while a batch is under way.
    totals
        Rows received, accepted, duplicate and rejected in all.
    """

    breaks: tuple[Break, ...]
    with_tables: bool
    totals: dict[str, int]

    def as_check(self) -> dg.AssetCheckResult:
        """As Dagster shows it; a break is an error."""
        compared = (
            "landing to marts" if self.with_tables else "landing to raw, a batch is under way"
        )
        lines = "\n".join(f"- {broken}" for broken in self.breaks)
        return dg.AssetCheckResult(
            passed=not self.breaks,
            severity=dg.AssetCheckSeverity.ERROR,
            description=f"{lines}\n\n{REMEDY}" if self.breaks else f"nothing lost, {compared}",
            metadata={**self.totals, "compared": compared, "breaks": dg.MetadataValue.md(lines)},
        )


def look_at_run(connection: duckdb.DuckDBPyConnection, landing: Path) -> Outcome:
    """Look at the batches that the clock's run carries through, before it publishes them.

    A run over the whole history is looked at in whole. Where a newer batch has come meanwhile,
    tables show it half, and the run of that batch, which carries both, looks at them.

    Parameters
    ----------
    connection
        At one moment of the lake: in a transaction, as `at_one_moment` begins it.
    """
    clock = read_clock(connection)
    newest = scalar(connection, "select coalesce(max(batch_id), 0) from ops.batches")
    scope = Scope(clock.first_batch_id, clock.last_batch_id)
    if clock.first_batch_id <= 1:
        scope = EVERYTHING
    with_tables = newest <= clock.last_batch_id
    laws = [law for law in LAWS if with_tables or not law.of_tables]
    return look(connection, scope, laws, landing)


def look_at_everything(
    connection: duckdb.DuckDBPyConnection, landing: Path | None = None
) -> Outcome:
    """Look at all there is; at tables made from raw only when every batch is published.

    The connection is at one moment of the lake, as for `look_at_run`.
    """
    waiting = "select count(*) from ops.batches where snapshot_id is null"
    with_tables = scalar(connection, waiting) == 0 and _has_tables(connection)
    laws = [law for law in LAWS if with_tables or not law.of_tables]
    return look(connection, EVERYTHING, laws, landing)


def assert_conserved(lake: Lake, landing: Path | None = None) -> Outcome:
    """Look at everything at the live edge.

    Parameters
    ----------
    landing
        The landing folder, to count the lines of the collector's files again.

    Raises
    ------
    NotConserved
        Naming every place.
    """
    with lake.reader(latest=True) as connection, at_one_moment(connection):
        outcome = look_at_everything(connection, landing)
    if outcome.breaks:
        raise NotConserved("\n".join(map(str, outcome.breaks)))
    return outcome


def look(
    connection: duckdb.DuckDBPyConnection,
    scope: Scope,
    laws: Sequence[Law] = LAWS,
    landing: Path | None = None,
) -> Outcome:
    """Look at laws in a scope, in the transaction that the connection is in."""
    with_tables = any(law.of_tables for law in laws)
    with shared_tables(connection, scope, with_touched=with_tables) as known:
        breaks = [broken for law in laws for broken in _breaks(connection, law, known)]
        if landing is not None:
            breaks += _miscounted_files(connection, scope, landing)
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in COUNTS)
    row = connection.execute(f"select {sums} from ops.batches").fetchone()
    assert row is not None
    totals = dict(zip(COUNTS, map(int, row), strict=True))
    return Outcome(tuple(breaks), with_tables, totals)


def _breaks(connection: duckdb.DuckDBPyConnection, law: Law, scope: Scope) -> list[Break]:
    query = f"select place, expected, found from ({law.query(scope)}) order by place limit {SHOWN}"
    return [Break(law.name, *row) for row in connection.execute(query).fetchall()]


def _miscounted_files(
    connection: duckdb.DuckDBPyConnection, scope: Scope, landing: Path
) -> Iterator[Break]:
    """Files of the collector, a row a line, whose lines are not what the ledger received."""
    files = connection.execute(
        f"select file, bytes, received from ops.landed_files "
        f"where contains(file, '{COLLECTED}') and {scope.batches()} order by file"
    ).fetchall()
    for name, size, received in files:
        path = landing / name
        if not path.is_file() or path.stat().st_size != size:
            continue  # taken away, or another file by now
        with path.open("rb") as stream:
            lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(READ_BYTES), b""))
        if lines != received:
            yield Break("the collector's lines were received", name, lines, received)


def _has_tables(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether dbt's tables are there: a lake that only ingestion knows has none."""
    row = connection.execute(
        "select count(*) from information_schema.tables where table_catalog = current_database() "
        "and table_schema = 'marts' and table_name = 'customer_features'"
    ).fetchone()
    return row is not None and row[0] > 0
