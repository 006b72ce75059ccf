"""A table that an earlier version left with other columns: whoever meets it is told what to do."""

import os
from collections.abc import Callable
from datetime import datetime
from unittest import mock

import pytest

from orchestration.dbt_runner import UPGRADED, DbtError, dagster_events, run_dbt
from tests.dbt.dbt_lake import DbtLake

MODEL = "int_touched_visitors"


def test_a_run_that_meets_an_earlier_versions_table_says_what_to_do(
    grown_lake: Callable[[], DbtLake],
) -> None:
    lake = grown_lake()
    lake.set_clock(datetime(2024, 1, 2), 1, 1)
    with mock.patch.dict(os.environ, lake.settings.dbt_environment()):
        assert len(list(dagster_events(run_dbt("run", [MODEL]), {}, {}))) == 0
        lake.execute(f"alter table intermediate.{MODEL} drop column touched_from")
        with pytest.raises(DbtError, match=MODEL) as raised:
            list(dagster_events(run_dbt("run", [MODEL]), {}, {}))
    assert str(raised.value).endswith(UPGRADED)


def test_another_failure_has_no_such_advice(grown_lake: Callable[[], DbtLake]) -> None:
    lake = grown_lake()
    lake.execute("drop table intermediate.identity_log")
    with (
        mock.patch.dict(os.environ, lake.settings.dbt_environment()),
        pytest.raises(DbtError, match=MODEL) as raised,
    ):
        list(dagster_events(run_dbt("run", [MODEL]), {}, {}))
    assert UPGRADED not in str(raised.value)
