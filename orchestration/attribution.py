"""Attribution that looks at all journeys together, between the lake and ``ml``."""

import duckdb
import pandas as pd
import pyarrow as pa

from ml.attribution import attribute, parse_path
from ml.attribution_days import spread_over_days
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake

MODELS = ("markov", "shapley")
SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("conversion_date", pa.date32()),
        ("channel_group", pa.string()),
        ("campaign_ref", pa.string()),
        ("conversions", pa.float64()),
        ("value", pa.float64()),
    ]
)


def write_attribution(lake: Lake) -> pd.DataFrame:
    """Credit channels by `MODELS` and replace ``marts.attribution_models``.

    Returns
    -------
    DataFrame
        ``model``, ``channel``, ``conversions``, ``value``; empty without a conversion.
    """
    with lake.reader(latest=True) as connection:
        paths, touches = read_paths(connection), read_linear_credit(connection)
    if paths.empty or not paths["conversions"].sum():
        credits = pd.DataFrame(columns=["model", "channel", "conversions", "value"])
        rows = SCHEMA.empty_table()
    else:
        credits = attribute(paths, models=MODELS)
        spread = spread_over_days(credits, touches).rename(columns={"channel": "channel_group"})
        rows = pa.Table.from_pandas(spread[SCHEMA.names], schema=SCHEMA, preserve_index=False)
    with lake.writer("attribution") as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        connection.execute("delete from marts.attribution_models")
        connection.execute("insert into marts.attribution_models by name select * from fresh_rows")
    return credits


def read_paths(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Journeys with the same path as one row: ``path``, ``conversions``, ``value``, ``nulls``."""
    paths = connection.execute(
        """
        select
            channel_groups,
            cast(sum(conversions) as double) as conversions,
            sum(value) as value,
            cast(count(*) filter (where conversions = 0) as double) as nulls
        from marts.attribution_paths
        group by 1
        order by 1
        """
    ).df()
    paths["path"] = [parse_path(text) for text in paths["channel_groups"]]
    return paths[["path", "conversions", "value", "nulls"]]


def read_linear_credit(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """Linear credit per day, channel and campaign."""
    return connection.execute(
        """
        select conversion_date, channel_group as channel, campaign_ref, conversions, value
        from intermediate.int_attribution_rules
        where model = 'linear'
        order by all
        """
    ).df()
