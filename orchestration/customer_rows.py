"""Tables with a row per customer: what is out of date in them, and its replacement."""

from collections.abc import Iterator

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.lake import Lake

BATCH_ROWS = 25_000


def stale_features(
    lake: Lake, table: str, version_column: str, version: str, beside: str
) -> Iterator[pd.DataFrame]:
    """Features whose row in a table is missing, or from other features or models.

    Parameters
    ----------
    table : str
        In ``marts``, with ``customer_key``, ``as_of``, ``batch_id`` and the version's column.
    version_column, version : str
        What the row has to say of the models.
    beside : str
        Columns of ``marts.customer_segments`` (as ``segments``) that stand beside the features.
    """
    with lake.reader(latest=True) as connection:
        reader = connection.execute(
            f"""
            select
                features.*,
                {beside}
            from marts.customer_features as features
            left join marts.customer_segments as segments
                on features.customer_key = segments.customer_key
            anti join marts.{table} as written
                on
                    features.customer_key = written.customer_key
                    and features.as_of = written.as_of
                    and features.batch_id = written.batch_id
                    and written.{version_column} = ?
            """,
            [version],
        ).fetch_record_batch(BATCH_ROWS)
        for batch in reader:
            if batch.num_rows:
                frame = batch.to_pandas()
                frame["segment_id"] = frame["segment_id"].astype("Int32")
                yield frame


def to_arrow(parts: list[pd.DataFrame]) -> pa.Table | None:
    """The parts as one table; None where there is no row."""
    if not any(len(part) for part in parts):
        return None
    return pa.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)


def replace_customers(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table | None
) -> None:
    """Replace rows by customer, and drop those of customers who are no longer there."""
    connection.execute(
        f"delete from marts.{table} where customer_key not in "
        "(select customer_key from marts.customer_features)"
    )
    if rows is not None:
        connection.register("fresh_rows", rows)
        connection.execute(
            f"delete from marts.{table} where customer_key in (select customer_key from fresh_rows)"
        )
        append(connection, table, rows)


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table | None) -> None:
    """Add rows to a table of ``marts``."""
    if rows is not None:
        connection.register("fresh_rows", rows)
        connection.execute(f"insert into marts.{table} by name select * from fresh_rows")
