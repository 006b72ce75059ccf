"""A narrow bare script: from events to one score, the smallest thing that deserves the name.

Read and deduplicate the events, cut sessions, roll up by customer and day, compute 44 features at
the newest instant and at one 28 days before, train 200 trees on who comes back within 28 days, and
score everyone. No other entity, identity, baseline, calibration, explanation or file written.

Usage: ``python -m tests.benchmarks.narrow_script <landing> <threads>``.
"""

import json
import sys
from pathlib import Path

import duckdb
import lightgbm as lgb

HORIZON_DAYS, TREES, SEED = 28, 200, 7
TYPES = (
    "page_view", "product_view", "search", "add_to_cart", "checkout_started", "order_completed",
    "login",
)  # fmt: skip
WINDOWS = (7, 30, 90, 365)

TABLES = f"""
create table events as
select * from read_parquet($files, hive_partitioning = false)
where customer_ref is not null
qualify row_number() over (partition by event_id order by occurred_at) = 1;

create table sessions as
with gaps as (
    select *, lag(occurred_at) over (partition by customer_ref order by occurred_at) as before
    from events
), numbered as (
    select *, sum(if(occurred_at - before <= interval 30 minute, 0, 1)) over (
        partition by customer_ref order by occurred_at rows unbounded preceding) as number
    from gaps
)
select customer_ref, number, cast(min(occurred_at) as date) as day,
    epoch(max(occurred_at)) - epoch(min(occurred_at)) as seconds
from numbered group by 1, 2;

create table days as
with counts as (
    select customer_ref, cast(occurred_at as date) as day, count(*) as events,
        sum(if(event_type = 'order_completed', value, 0)) as revenue,
        {", ".join(f"count(*) filter (event_type = '{name}') as {name}" for name in TYPES)}
    from events group by 1, 2
), visits as (
    select customer_ref, day, count(*) as sessions, sum(seconds) as seconds
    from sessions group by 1, 2
)
from counts left join visits using (customer_ref, day)
"""


def features(table: str) -> str:
    """SQL of one row per customer with a day before the instant ``$at``."""
    measures = ("events", "revenue", "sessions", *TYPES)
    windows = ", ".join(
        f"coalesce(sum({name}) filter (age < {days}), 0) as {name}_{days}d"
        for name in measures
        for days in WINDOWS
    )
    return f"""
    create table {table} as
    with known as (
        select *, date_diff('day', day, cast($at as date)) as age
        from days where day < cast($at as date)
    )
    select customer_ref, min(age) as recency, max(age) as tenure, count(*) as active_days,
        avg(seconds) as seconds_mean, {windows}
    from known group by 1 order by 1
    """


def main(landing: Path, threads: int) -> None:
    """Run all of it and print what came out."""
    db = duckdb.connect(config={"threads": threads})
    for statement in TABLES.split(";"):
        parameters = {"files": f"{landing}/events/*/*.parquet"} if "$files" in statement else None
        db.execute(statement, parameters)
    row = db.execute("select max(day) + 1, max(day) + 1 - $days from days", {"days": HORIZON_DAYS})
    now, past = row.fetchone() or (None, None)
    db.execute(features("current"), {"at": now})
    db.execute(features("past"), {"at": past})
    train = db.execute(
        "select past.* exclude (customer_ref), later.customer_ref is not null as label from past"
        " left join (select distinct customer_ref from days where day >= $at) as later"
        " using (customer_ref)",
        {"at": past},
    ).df()
    label = train.pop("label").to_numpy(dtype=float)
    options: dict[str, object] = {
        "objective": "binary", "learning_rate": 0.05, "num_threads": threads, "seed": SEED,
        "verbose": -1,
    }  # fmt: skip
    booster = lgb.train(options, lgb.Dataset(train, label), num_boost_round=TREES)
    current = db.execute("select * exclude (customer_ref) from current").df()
    scores = booster.predict(current, num_threads=threads)
    print(json.dumps({"features": current.shape[1], "customers": len(scores)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
