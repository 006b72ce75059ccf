"""The same rows give the same tables, however they are ordered, split, repeated or late.

A dbt run costs seconds, whatever is in it, so each example of hypothesis is a lake with many
histories that share no identifier: their tables hold for each of them.
"""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt.dbt_lake import HOT, DbtLake, assert_same_tables
from tests.dbt.histories import random_worlds

AS_OF = datetime(2024, 3, 12, 12)
WORLDS, EXAMPLES = 64, 8
"""512 histories."""


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],  # a smaller example would take as long and say as much
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(
    seed=st.integers(0, 1 << 30),
    batches=st.integers(2, 4),
    late_share=st.sampled_from([0.02, 0.3, 1.0]),
)
def test_any_order_gives_the_tables_of_a_rebuild(
    new_lake: Callable[[], DbtLake], seed: int, batches: int, late_share: float
) -> None:
    lake, rows = new_lake(), random_worlds(seed, WORLDS, batches, late_share)
    for batch in range(1, batches + 1):
        lake.load(row for row in rows if row[1]["batch_id"] == batch)
        lake.carry(AS_OF, batch, batch)
    increments = lake.marts()
    lake.set_clock(AS_OF, 0, batches)
    lake.dbt("run", "--full-refresh", *HOT)
    assert_same_tables(increments, lake.marts(), f"seed {seed}, {batches} batches")
