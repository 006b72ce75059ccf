"""One reader that looks at what is published until it is told to end, and counts what is wrong."""

import json
import signal
import sys
import time

import duckdb

from orchestration.lake import Lake

PAUSE_SECONDS = 1.0
"""Four readers without a pause are two processors without anything else."""
LOOK = """
    with tables as (
        select
            'features' as name,
            count(*) as customers,
            bit_xor(hash(customer_key, batch_id)) as batches,
            bit_xor(hash(customer_key, batch_id, as_of)) as instants
        from marts.customer_features

        union all

        select
            'scores',
            count(*),
            bit_xor(hash(customer_key, batch_id)),
            bit_xor(hash(customer_key, batch_id, as_of))
        from marts.customer_scores

        union all

        select 'segments', count(*), bit_xor(hash(customer_key, batch_id)), null
        from marts.customer_segments
    ),

    published as (
        select
            max(batch_id) as newest,
            count(*) filter (where snapshot_id is null) as unpublished
        from ops.batches
    ),

    arrived as (select distinct batch_id from raw.events where batch_id > 1)

    select
        published.newest,
        (select last_batch_id from ops.clock) - published.newest as clock_behind,
        published.unpublished,
        (select count(distinct (customers, batches)) - 1 from tables) as unlike_batches,
        (select count(distinct instants) - 1 from tables) as unlike_instants,
        (
            select count(*)
            from arrived
            anti join ops.batches as batches on arrived.batch_id = batches.batch_id
        ) as unknown_rows
    from published
"""
"""Features, scores and segments are of the same customers, batch for batch, or they differ."""


def main() -> None:
    """Print the counts as JSON when told to end."""
    counts = {"looks": 0, "half": 0, "failures": 0, "batches": 0}
    seen: set[int] = set()
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    lake = Lake.from_settings().model_copy(update={"threads": 1, "memory_limit": "500MB"})
    while not ended:
        counts["looks"] += 1
        try:
            with lake.reader() as connection:
                row = connection.execute(LOOK).fetchone()
        except duckdb.Error as error:
            counts["failures"] += 1
            print(error, flush=True)
            continue
        assert row is not None
        newest, *wrong = row
        seen.add(newest)
        if any(wrong):
            counts["half"] += 1
            print(row, flush=True)
        time.sleep(PAUSE_SECONDS)
    print(json.dumps({**counts, "batches": len(seen)}), flush=True)
    sys.exit(0)


if __name__ == "__main__":
    main()
