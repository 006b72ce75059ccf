"""What is known of a customer and a category: the same now as in training, and nothing later."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
import pytest

from tests.dbt.dbt_lake import DbtLake
from tests.dbt.histories import random_history

AS_OF = datetime(2024, 3, 12, 12)
PAST = datetime(2024, 3, 5)
KEYS = ["customer_key", "category"]


@pytest.fixture(scope="module")
def lake(new_lake: Callable[[], DbtLake]) -> DbtLake:
    """Random histories with categories, at two instants."""
    lake = new_lake()
    lake.load(random_history(80, 1))
    lake.set_clock(AS_OF, 1, 1)
    lake.execute("delete from ops.as_of_dates")
    for instant in (PAST, AS_OF):
        lake.execute(
            "insert into ops.as_of_dates by name select 'purchase_30d' as task, ? as as_of, "
            "30 as horizon_days, 400 as population_days, 'purchase' as outcome, "
            "1 as top_categories",
            [instant],
        )
    lake.dbt("run")
    return lake


def at(lake: DbtLake, instant: datetime) -> pd.DataFrame:
    rows = lake.table("marts.category_feature_history", KEYS)
    return rows[rows["as_of"] == instant].reset_index(drop=True)


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_history_at_the_clock_equals_what_is_scored_now(lake: DbtLake) -> None:
    now = lake.table("marts.category_features", KEYS)
    assert len(now) >= 3
    assert now["category"].nunique() == 1, "one category is asked for"
    same(at(lake, AS_OF).drop(columns="label"), now)


@pytest.mark.slow
def test_labels_follow_the_days_after_the_instant(lake: DbtLake) -> None:
    days = lake.table("intermediate.int_category_days")
    after = days[days["last_at"] >= PAST][KEYS].drop_duplicates().assign(bought=1.0)
    found = at(lake, PAST).merge(after, on=KEYS, how="left")
    assert set(found["label"]) == {0.0, 1.0}
    assert (found["label"] == found["bought"].fillna(0)).all()


@pytest.mark.slow
def test_no_future_moves_what_was_known(lake: DbtLake) -> None:
    before = at(lake, PAST)
    lake.execute("update raw.orders set status = 'returned' where ordered_at >= ?", [PAST])
    lake.execute(
        "insert into raw.products (product_ref, name, category, updated_at, batch_id, row_number) "
        "select product_ref, name, 'other', ?, 1, 1000 from raw.products",
        [AS_OF],
    )
    lake.dbt("run", "--full-refresh")
    after = at(lake, PAST)
    same(before.drop(columns="label"), after.drop(columns="label"))
    assert (after["label"] == 0).all(), "the change would be noticed"
