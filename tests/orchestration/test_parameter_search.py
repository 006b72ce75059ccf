"""A search leaves a record; a training takes it, says so, and can be repeated without it."""

import logging
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from ml.churn import CHURN
from ml.intervals import Difference
from ml.parameters import DEFAULTS, Parameters
from ml.search_result import Budget, SearchResult
from ml.value import VALUE
from orchestration.cli import app
from orchestration.definitions import defs
from orchestration.parameter_records import RECORD, parameters_for, record_name
from orchestration.parameter_search import search_task
from orchestration.registry import scratch_folder
from orchestration.retraining import retrain
from orchestration.settings import settings
from tests.ml.known_market import DATES, HORIZON
from tests.orchestration.model_room import LOG, ModelRoom, market_frame

OTHER = replace(DEFAULTS, num_leaves=4, learning_rate=0.12)
BETTER = Difference(0.004, 0.001, 0.007)
UNSURE = Difference(0.004, -0.001, 0.009)


def keep(
    room: ModelRoom,
    result: SearchResult,
    found: Parameters = OTHER,
    gain: Difference = BETTER,
    horizon_days: int = HORIZON,
    cutoff: str = "2024-01-29",
) -> None:
    """Register what a search might have found."""
    other = replace(
        result, found=found, choosing_gain=gain, gain=gain, horizon_days=horizon_days, cutoff=cutoff
    )
    with scratch_folder() as name:
        (Path(name) / RECORD).write_text(other.to_json())
        room.registry.register(record_name("churn"), Path(name), metrics={}, parameters={}, tags={})


@pytest.fixture
def searched(room: ModelRoom) -> SearchResult:
    room.hold(market_frame(110))
    version, result = search_task(CHURN, room.lake, room.values, Budget(2), LOG.info)
    assert version.label == "churn_parameters:1"
    assert SearchResult.from_json((version.folder / RECORD).read_text()).to_json() == (
        result.to_json()
    )
    assert int(version.tags["lake_snapshot"]) > 0
    assert version.tags["adopted"] == str(result.is_adopted)
    return result


def test_training_takes_the_newest_search_and_a_repetition_its_own(
    room: ModelRoom, searched: SearchResult
) -> None:
    keep(room, searched)
    trained, said = room.train()
    assert trained is not None
    assert trained.parameters == OTHER
    assert said["parameters_from"] == "churn_parameters:2"
    first = room.registry.challenger("churn")
    assert first is not None
    assert first.tags["parameters_from"] == "churn_parameters:2"

    keep(room, searched, found=replace(OTHER, num_leaves=3), gain=UNSURE)
    again, said = room.train()
    assert again is not None
    assert again.parameters == DEFAULTS
    assert said["parameters_from"] == "defaults (churn_parameters:3)"
    assert again.model.trees != trained.model.trees

    repeated = retrain(first, room.lake)
    assert repeated.is_identical, repeated.lines()


@pytest.mark.slow
def test_models_keep_to_directions_where_that_is_set(
    room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.hold(market_frame(110))
    free, _ = room.train()
    monkeypatch.setenv("SHOAL_MONOTONE", "true")
    settings.cache_clear()
    bound, _ = room.train()
    assert free is not None
    assert bound is not None
    assert (free.parameters.is_monotone, bound.parameters.is_monotone) == (False, True)
    assert "monotone_constraints: 1" in bound.model.trees
    assert "monotone_constraints: 1" not in free.model.trees


def test_a_search_for_another_horizon_or_of_a_later_time_is_passed_over(
    room: ModelRoom, searched: SearchResult, caplog: pytest.LogCaptureFixture
) -> None:
    frame = market_frame(110)

    def taken() -> tuple[Parameters, str]:
        with caplog.at_level(logging.WARNING):
            return parameters_for(CHURN, frame, HORIZON, room.registry, LOG)

    keep(room, searched, horizon_days=90)
    assert taken() == (DEFAULTS, "defaults")
    assert "searched for a horizon of 90 days, not 28" in caplog.text
    keep(room, searched, cutoff="2024-05-20")
    assert taken() == (DEFAULTS, "defaults")
    assert "knew labels until 2024-05-20, after the test cutoff 2024-04-22" in caplog.text
    keep(room, searched, cutoff=str(DATES[-1].date()))
    assert taken() == (OTHER, "churn_parameters:4")
    assert parameters_for(VALUE, frame, HORIZON, room.registry, LOG) == (
        replace(DEFAULTS, is_monotone=True),
        "defaults",
    )


def test_the_command_searches_and_refuses_by_name(room: ModelRoom) -> None:
    runner = CliRunner(env={"COLUMNS": "300"})
    room.hold(market_frame(110), dates=5)
    short = runner.invoke(app, ["models", "search", "churn"])
    assert short.exit_code == 1
    assert "no search for churn: two origins are needed before the test cutoff" in short.output
    room.hold(market_frame(110))
    done = runner.invoke(app, ["models", "search", "churn", "--trials", "2"])
    assert done.exit_code == 0, done.output
    assert "trial 0: loss 0." in done.output
    assert "churn_parameters:1, churn: 2 trials" in done.output
    assert "num_leaves: " in done.output
    assert runner.invoke(app, ["models", "search", "nonsense"]).exit_code == 2
    assert (
        "at least one trial"
        in runner.invoke(app, ["models", "search", "churn", "--trials", "0"]).output
    )


def test_the_search_runs_monthly_only_if_switched_on_and_in_no_other_job() -> None:
    repository = defs().get_repository_def()
    schedule = repository.get_schedule_def("search_job_schedule")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    searching = {
        job.name
        for job in repository.get_all_jobs()
        if not job.name.startswith("__")
        and dg.AssetKey("model_parameters") in job.asset_layer.executable_asset_keys
    }
    assert searching == {"search_job"}
