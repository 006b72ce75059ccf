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
    select
        (select max(batch_id) from ops.batches) as newest,
        (select last_batch_id from ops.clock)
            - (select max(batch_id) from ops.batches) as clock_behind,
        (select count(*) from ops.batches where snapshot_id is null) as unpublished,
        (
            select count(*)
            from marts.customer_scores as scores
            full join marts.customer_features as features
                on scores.customer_key = features.customer_key
            where
                scores.as_of is distinct from features.as_of
                or scores.batch_id is distinct from features.batch_id
        ) as unscored,
        (
            select count(*)
            from marts.customer_segments as segments
            full join marts.customer_features as features
                on segments.customer_key = features.customer_key
            where segments.batch_id is distinct from features.batch_id
        ) as unsegmented,
        (
            select count(*)
            from (select distinct batch_id from raw.events where batch_id > 1) as arrived
            anti join ops.batches as batches on arrived.batch_id = batches.batch_id
        ) as unknown_rows
"""


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
