"""Without its clock a run says so instead of computing nothing."""

from collections.abc import Callable
from datetime import datetime

from tests.dbt.dbt_lake import DbtLake, messages


def test_a_missing_clock_is_named(new_lake: Callable[[], DbtLake]) -> None:
    lake = new_lake()
    outcome = lake.try_dbt("run", "--select", "stg_events", "identity_map")
    assert not outcome.success
    assert "ops.clock has 0 rows instead of 1" in "\n".join(messages(outcome))


def test_no_view_holds_what_a_run_found(new_lake: Callable[[], DbtLake]) -> None:
    """A view is read by other sessions, and later: an instant of the run would be none, or old."""
    lake = new_lake()
    lake.carry(datetime(2024, 3, 1), 1, 1)
    with lake.lake.reader(latest=True) as connection:
        views = connection.execute(
            "select schema_name || '.' || view_name, sql from duckdb_views() "
            "where database_name = 'lake'"
        ).fetchall()
        assert len(views) > 10
        for name, text in views:
            assert "getvariable('shoal_as_of')" not in text, name
            assert "batch_id')" not in text, name
            connection.execute(f"select * from lake.{name} limit 1").fetchall()
