"""Sessions and journeys in any order of batches, with orders told twice, programs and cuts."""

import json
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime

import pandas as pd
import pytest

from tests.dbt.dbt_lake import HOT, DbtLake, Row, assert_same_tables
from tests.dbt.histories import random_worlds

AS_OF = datetime(2024, 3, 12, 12)
WORLDS = 24
CUTS = json.dumps({"session_ends_at_midnight": True, "session_ends_at_new_campaign": True})
NewLake = Callable[[], DbtLake]


def _histories(seed: int, batches: int, late_share: float) -> list[Row]:
    """Random histories with orders that events tell of too, with crawlers and two campaigns."""
    chance = random.Random(seed)
    rows = random_worlds(seed, WORLDS, batches, late_share)
    orders = defaultdict(list)
    for entity, values in rows:
        if entity == "orders":
            orders[_world(values["order_ref"])].append(values)
    for entity, values in rows:
        if entity != "events":
            continue
        values["user_agent"] = chance.choice(["Mozilla/5.0", None, "Googlebot/2.1"])
        values["campaign_ref"] = chance.choice(["spring", "autumn", None, None])
        values["properties"] = None
        if chance.random() < 0.3:
            order = chance.choice(orders[_world(values["event_id"])])
            values["event_type"] = "order_completed"
            values["customer_ref"] = order["customer_ref"] or values["customer_ref"]
            values["occurred_at"] = chance.choice([values["occurred_at"], order["ordered_at"]])
            values["properties"] = json.dumps({"order_ref": order["order_ref"]})
    return rows


def _world(reference: str) -> str:
    return reference.split(":")[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "batches", "late_share", "variables"),
    [(3, 3, 1.0, "{}"), (4, 5, 0.05, "{}"), (5, 5, 0.05, CUTS), (6, 4, 1.0, CUTS)],
)
def test_any_order_of_batches_gives_the_same_journeys(
    new_lake: NewLake, seed: int, batches: int, late_share: float, variables: str
) -> None:
    lake, rows = new_lake(), _histories(seed, batches, late_share)
    for batch in range(1, batches + 1):
        lake.load(row for row in rows if row[1]["batch_id"] == batch)
        lake.carry(AS_OF, batch, batch, "--vars", variables)
    increments = lake.marts()
    lake.set_clock(AS_OF, 0, batches)
    lake.dbt("run", "--full-refresh", *HOT, "--vars", variables)
    assert_same_tables(increments, lake.marts(), f"seed {seed}")
    assert len(increments["marts.bot_sessions"]) > 5
    sessions = increments["marts.sessions"]
    crosses_midnight = sessions["started_at"].dt.date < sessions["ended_at"].dt.date
    assert crosses_midnight.any() == (variables != CUTS)  # so the variables do count
    steps = increments["marts.journey_steps"]
    assert steps.loc[steps["step"] == "order_completed", "order_ref"].notna().any()
    _assert_attribution_is_whole(lake, steps)


def _assert_attribution_is_whole(lake: DbtLake, steps: pd.DataFrame) -> None:
    """Every completed order has one path, and every rule hands out all of them."""
    lake.dbt("run", "--select", "tag:journeys", "tag:attribution")
    lake.dbt("test", "--select", "tag:journeys", "--exclude", "test_type:unit")
    orders = steps[steps["step"] == "order_completed"]
    paths = lake.table("marts.attribution_paths")
    converting = paths[paths["conversions"] == 1]
    assert set(converting["journey_id"]) == set(orders["step_id"])
    credits = lake.table("marts.channel_attribution").groupby("model")["conversions"].sum()
    assert len(credits) == 5
    assert credits.to_numpy() == pytest.approx(len(orders), rel=1e-12)
