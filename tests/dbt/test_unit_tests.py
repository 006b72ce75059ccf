"""dbt's own unit tests: what a model makes of given rows."""

from collections.abc import Callable
from datetime import datetime

from tests.dbt.dbt_lake import REBUILT, DbtLake


def test_every_unit_test_passes(new_lake: Callable[[], DbtLake]) -> None:
    lake = new_lake()
    lake.carry(datetime(2024, 2, 1), 0, 0)  # dbt asks the relations for their columns
    lake.set_as_of_dates([])
    lake.dbt("run", *REBUILT)
    lake.dbt("test", "--select", "test_type:unit")
