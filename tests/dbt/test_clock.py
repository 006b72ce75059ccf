"""Without its clock a run says so instead of computing nothing."""

from collections.abc import Callable

from tests.dbt.dbt_lake import DbtLake, messages


def test_a_missing_clock_is_named(new_lake: Callable[[], DbtLake]) -> None:
    lake = new_lake()
    outcome = lake.try_dbt("run", "--select", "stg_events", "identity_map")
    assert not outcome.success
    assert "ops.clock has 0 rows instead of 1" in "\n".join(messages(outcome))
