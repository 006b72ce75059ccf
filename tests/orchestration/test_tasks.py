"""What a task says of itself agrees with the tables and pages that ask it."""

import dagster as dg
import duckdb
import pytest

from ml.task import Task
from ml.tasks import EVENT_TASKS, QUESTIONS, TASKS
from orchestration.definitions import defs
from orchestration.model_asset import model_name
from orchestration.phrases import feature_columns, feature_phrases

EACH = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


@EACH
def test_a_task_names_columns_that_there_are(
    task: Task, scratch: duckdb.DuckDBPyConnection
) -> None:
    features = {column.name for column in feature_columns()}
    assert {*task.active_by, *task.baseline_columns, *task.directions} <= features
    for table in ("customer_scores", "score_history"):
        columns = scratch.execute(f"select * from marts.{table} limit 0").df().columns
        assert task.score_column in columns


@EACH
def test_a_task_reads_as_a_sentence(task: Task) -> None:
    assert task.title.format(days=60).endswith("60 days")
    assert "60" in task.meaning.format(horizon=60, population=120)
    assert "{" not in task.description
    assert bool(task.positive) == task.is_binary


def test_every_task_has_its_asset_and_no_other_model_is_trained() -> None:
    graph = defs().get_repository_def().asset_graph
    trained = {
        key.to_user_string()
        for key in graph.executable_asset_keys
        if graph.get(key).group_name == "models" and "lightgbm" in graph.get(key).kinds
    }
    assert trained == set(map(model_name, QUESTIONS))
    for name in trained:
        checks = {key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey(name)}
        assert checks == {
            "beats_baselines",
            "skill_is_plausible",
            "challenger_earns_promotion",
        }


def test_names_and_columns_are_each_of_one_task() -> None:
    assert all(name == task.name and name.isidentifier() for name, task in TASKS.items())
    assert len({task.score_column for task in TASKS.values()}) == len(TASKS)
    assert next(iter(TASKS)) == "churn", "a score is explained by churn where there is one"


@pytest.mark.parametrize("name", EVENT_TASKS)
def test_a_task_about_events_names_features_that_there_are(name: str) -> None:
    task = EVENT_TASKS[name]
    words = feature_phrases(name)
    assert {*task.baselines.values()} <= set(words)
    assert task.title.format(days=60).endswith("60 days")
    assert "60" in task.meaning.format(horizon=60, population=120)
    assert all(words[feature].label for feature in task.baselines.values())
