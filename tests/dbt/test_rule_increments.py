"""Rules looked at after each batch give what looking at everyone gives, on the real tables.

That stands on a claim about these tables: whoever gets a row, or a row of somebody else's, has
features of that batch.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestration.rules.evaluation import evaluate_rules
from tests.dbt.dbt_lake import DbtLake
from tests.dbt.histories import START, random_worlds

BATCHES = 5
RULES = {
    "viewing": "all: [{events: [product_view, page_view], at_least: 2, within: 1 day}]",
    "carting": "all:\n  - {events: add_to_cart, within: 2 days, until: 6 hours}\n"
    "  - {events: any, at_most: 0, within: 6 hours}",
    "buying": "any:\n  - {orders: completed, within: 1 day}\n"
    "  - {events: order_completed, within: 1 day, where: event_value > 10}",
    "talking": "any:\n  - {feedback: any, where: rating < 4, within: 30 hours}\n"
    "  - {messages: any, at_least: 2, within: 2 days}",
    "good": "where: revenue_total > 50 and days_since_last_order < 3",
    "here": "where: country is not null or consents_marketing\n"
    "all: [{orders: any, at_most: 1, within: 1 week}]",
}


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "late_share"), [(3, 1.0), (4, 0.1)])
def test_batch_by_batch_rules_hold_for_whom_they_hold(
    new_lake: Callable[[], DbtLake], tmp_path: Path, seed: int, late_share: float
) -> None:
    lake, rows = new_lake(), random_worlds(seed, 12, BATCHES, late_share)
    folder = tmp_path / "segments"
    folder.mkdir()
    for name, conditions in RULES.items():
        (folder / f"{name}.yml").write_text(f"title: {name}\ndescription: d\n{conditions}\n")
    wall = datetime(2026, 1, 1)
    seen: set[str] = set()
    moved = 0
    for batch in range(1, BATCHES + 1):
        as_of = START + timedelta(days=1 + batch)
        lake.load(row for row in rows if row[1]["batch_id"] == batch)
        lake.carry(as_of, batch, batch)
        for later in (timedelta(0), timedelta(hours=7)):  # the second: time passes, nothing else
            if later:
                lake.set_clock(as_of + later, batch + 1, batch)
            found = evaluate_rules(lake.lake, folder, wall)
            assert found.errors == {}
            lake.execute("delete from ops.segment_rules")
            anew = evaluate_rules(lake.lake, folder, wall)
            assert anew.changes.to_pylist() == [], f"batch {batch}, {later} after it"
            seen |= set(found.changes["rule"].to_pylist())
            moved += found.left
    assert seen == set(RULES), "rules that nobody ever meets prove nothing"
    assert moved > 20
