"""Rows with texts in slices of bounded size, whose results are kept slice by slice."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake

SLICE_BYTES = 16_000_000
SLICE_ROWS = 8_192


def unpublished(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """First and last batch that no run has carried through yet; the first is beyond without any."""
    row = connection.execute(
        "select coalesce(max(batch_id) filter (where snapshot_id is not null), 0) + 1, "
        "coalesce(max(batch_id), 0) from ops.batches"
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def slices(rows: pa.Table) -> Iterator[pa.Table]:
    """Parts of rows that are bounded in rows and in the sum of their column ``bytes``."""
    first = 0
    while first < rows.num_rows:
        part = rows.slice(first, SLICE_ROWS)
        sums = pc.cumulative_sum(part["bytes"]).to_pylist()
        fit = sum(total <= SLICE_BYTES for total in sums)
        yield part.slice(0, max(fit, 1))
        first += max(fit, 1)


def replace_rows(
    lake: Lake, table: str, key: str, rows: pa.Table, purpose: str, *, is_new: bool = False
) -> None:
    """Write rows of a table of ``ops`` in one commit, in place of those with the same key."""
    with lake.writer(purpose) as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        if not is_new:
            connection.execute(
                f"delete from ops.{table} where {key} in (select {key} from fresh_rows)"
            )
        connection.execute(f"insert into ops.{table} by name select * from fresh_rows")
        connection.unregister("fresh_rows")
