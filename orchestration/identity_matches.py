"""Pairs of customers who may be one person: who is compared, and which decisions changed."""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.ingestion.landing import ARRIVAL_FORMAT
from orchestration.ingestion.ledger import open_batch
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake

MATCHES_SCHEMA = pa.schema(
    [
        ("left_key", pa.string()),
        ("right_key", pa.string()),
        ("probability", pa.float64()),
        ("decision", pa.string()),
    ]
)


@dataclass(frozen=True)
class MatchReport:
    """What a comparison found.

    Attributes
    ----------
    profiles
        Customers that were compared.
    same, review
        Pairs that stand now.
    withdrawn
        Pairs that stood before and no longer do.
    batch_id
        The batch that carries the changed decisions on; None when none changed.
    """

    profiles: int
    same: int
    review: int
    withdrawn: int
    batch_id: int | None


def read_profiles(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """The newest profile of every customer who shares no identifier with another one.

    The others are joined by that identifier, but whoever stands in a pair is compared again: else
    a merge would come undone because one of the two shares an identifier with a third. A
    placeholder joins nobody and is left out of the
    profile.
    """
    return connection.execute(
        """
        with identifiers as (
            select customer_key, 'email' as kind, email_key as identifier_key
            from raw.customers
            where email_placeholder_reason is null
            union all
            select customer_key, 'phone' as kind, phone_key as identifier_key
            from raw.customers
            where phone_placeholder_reason is null
            union all
            select customer_key, 'loyalty' as kind, loyalty_key as identifier_key
            from raw.customers
        ),

        shared_identifiers as (
            select kind, identifier_key
            from identifiers
            where identifier_key is not null
            group by kind, identifier_key
            having count(distinct customer_key) > 1
        ),

        standing_customers as (
            select unnest([left_key, right_key]) as customer_key
            from intermediate.identity_matches
            where decision <> 'different'
        ),

        -- a pair that was found stays in question, whatever identifier one of them shares since
        joined_customers as (
            select distinct identifiers.customer_key
            from identifiers
            semi join shared_identifiers
                on
                    identifiers.kind = shared_identifiers.kind
                    and identifiers.identifier_key = shared_identifiers.identifier_key
            anti join standing_customers
                on identifiers.customer_key = standing_customers.customer_key
        ),

        newest_profiles as (
            select *
            from raw.customers
            qualify row_number() over (
                partition by customer_key
                order by updated_at desc, batch_id desc, file_hash, row_number
            ) = 1
        )

        select
            profiles.customer_key,
            profiles.full_name,
            cast(profiles.birth_date as varchar) as birth_date,
            profiles.address as street,
            profiles.city,
            profiles.postcode,
            profiles.country,
            case when profiles.email_placeholder_reason is null then profiles.email end as email,
            case when profiles.phone_placeholder_reason is null then profiles.phone end as phone
        from newest_profiles as profiles
        anti join joined_customers
            on profiles.customer_key = joined_customers.customer_key
        order by profiles.customer_key
        """
    ).df()


def write_matches(
    connection: duckdb.DuckDBPyConnection,
    matches: pd.DataFrame,
    profiles: int,
    run_id: str,
    now: datetime,
) -> MatchReport:
    """Write the decisions that changed, and open a batch for them, in one transaction.

    A pair that is no longer listed becomes ``different``. A row whose decision stands is not
    touched: its probability is that of the decision.

    Parameters
    ----------
    matches : DataFrame
        ``left_key``, ``right_key``, ``probability`` and ``decision`` of every pair that stands.
    now
        UTC without a zone; its hour is the partition of the batch.
    """
    rows = pa.Table.from_pandas(
        matches[MATCHES_SCHEMA.names], schema=MATCHES_SCHEMA, preserve_index=False
    )
    connection.register("found_matches", rows)
    try:
        changed = connection.execute(
            """
            select
                coalesce(found.left_key, known.left_key) as left_key,
                coalesce(found.right_key, known.right_key) as right_key,
                coalesce(found.probability, known.probability) as probability,
                coalesce(found.decision, 'different') as decision
            from found_matches as found
            full join intermediate.identity_matches as known
                on found.left_key = known.left_key and found.right_key = known.right_key
            where coalesce(found.decision, 'different') is distinct from known.decision
            order by 1, 2
            """
        ).to_arrow_table()
    finally:
        connection.unregister("found_matches")
    batch_id = _write_changes(connection, changed, run_id, now) if changed.num_rows else None
    decisions = matches["decision"].value_counts()
    withdrawn = changed.column("decision").to_pylist().count("different")
    return MatchReport(
        profiles,
        int(decisions.get("same", 0)),
        int(decisions.get("review", 0)),
        withdrawn,
        batch_id,
    )


def match_customers(lake: Lake, run_id: str, now: datetime, *, seed: int) -> MatchReport:
    """Compare who can be compared and write what changed; the lease is held for the writing."""
    from ml.matching import match_profiles

    with lake.reader(latest=True) as connection:
        profiles = read_profiles(connection)
    lake.give_way()
    matches = match_profiles(profiles, seed=seed)
    with lake.writer(f"identity matches, run {run_id}") as connection:
        return write_matches(connection, matches, len(profiles), run_id, now)


def _write_changes(
    connection: duckdb.DuckDBPyConnection, changed: pa.Table, run_id: str, now: datetime
) -> int:
    connection.register("changed_matches", changed)
    try:
        with transaction(connection):
            batch_id = open_batch(connection, now.strftime(ARRIVAL_FORMAT), run_id, now)
            connection.execute(
                "delete from intermediate.identity_matches where (left_key, right_key) in "
                "(select left_key, right_key from changed_matches)"
            )
            connection.execute(
                "insert into intermediate.identity_matches "
                "(left_key, right_key, probability, decision, changed_batch_id) "
                "select left_key, right_key, probability, decision, ? from changed_matches",
                [batch_id],
            )
    finally:
        connection.unregister("changed_matches")
    return batch_id
