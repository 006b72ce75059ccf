"""The asset graph as a person finds it in the UI: complete, described, quick to load."""

import re
import subprocess
import sys
from itertools import chain

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.settings import PROJECT_ROOT
from tests.benchmarks import growth, main_job

HEAVY = (
    "evidently",
    "torch",
    "sklearn",
    "lightgbm",
    "mlflow",
    "matplotlib",
    "dbt",
    "dagster_dbt",
    "pandas",
    "splink",
    "optuna",
)


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return defs().get_repository_def()


def test_every_asset_says_what_it_is_and_whose(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    lacking = {}
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        gaps = [
            name
            for name, value in (
                ("group", node.group_name != "default" and node.group_name),
                ("kinds", node.kinds),
                ("owners", node.owners),
                ("description", node.description),
            )
            if not value
        ]
        if gaps:
            lacking[key.to_user_string()] = gaps
    assert lacking == {}


def test_no_asset_hangs_in_the_air(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    decided_by_people = {dg.AssetKey(["ops", "identity_decisions"])}
    assert graph.external_asset_keys == decided_by_people


def test_no_asset_depends_on_every_hour(repository: dg.RepositoryDefinition) -> None:
    """For such a dependency each run lists all the hours since the first."""
    graph = repository.asset_graph
    hourly = {key for key in graph.get_all_asset_keys() if graph.get(key).partitions_def}
    on_all_hours = {
        (key.to_user_string(), parent.to_user_string())
        for key in graph.get_all_asset_keys() - hourly
        for parent in graph.get(key).parent_keys & hourly
        if not isinstance(graph.get(key).partition_mappings.get(parent), dg.LastPartitionMapping)
    }
    assert hourly
    assert not on_all_hours


def test_every_check_belongs_to_an_asset(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    assert len(graph.asset_check_keys) >= 8
    assert {key.asset_key for key in graph.asset_check_keys} <= set(graph.executable_asset_keys)


def test_batch_job_leaves_training_and_tests_out() -> None:
    job = defs().resolve_job_def("batch_job")
    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert {"raw/events", "ops/clock", "marts/customer_scores", "ops/batches"} <= keys
    assert keys.isdisjoint({"churn_model", "marts/customer_labels", "staging/stg_events"})


@pytest.mark.parametrize("name", ["main_job", "batch_job", "daily_job", "training_job"])
def test_rules_are_evaluated_before_a_batch_is_published(name: str) -> None:
    layer = defs().resolve_job_def(name).asset_layer
    rules = dg.AssetKey(["marts", "rule_segments"])
    assert rules in layer.executable_asset_keys
    assert rules in layer.get(dg.AssetKey(["ops", "batches"])).parent_keys
    assert dg.AssetKey(["marts", "customer_scores"]) in layer.get(rules).parent_keys
    checks = {key.name for key in layer.asset_graph.asset_check_keys if key.asset_key == rules}
    assert checks == {"rules_are_valid"}


@pytest.mark.parametrize("name", ["main_job", "batch_job", "daily_job"])
def test_what_customers_say_is_judged_before_alerts(name: str) -> None:
    layer = defs().resolve_job_def(name).asset_layer
    alerts, issues = dg.AssetKey(["ops", "alerts"]), dg.AssetKey(["marts", "emerging_issues"])
    hours, mentions = (
        dg.AssetKey(["marts", "listening_hours"]), dg.AssetKey(["ops", "text_mentions"]),
    )  # fmt: skip
    assert {alerts, issues, hours, mentions} <= set(layer.executable_asset_keys)
    assert issues in layer.get(alerts).parent_keys
    assert mentions in layer.get(hours).parent_keys


def test_loading_imports_nothing_heavy_and_does_not_parse_dbt() -> None:
    script = (
        "import sys\n"
        "from orchestration.definitions import defs\n"
        "defs()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_benchmarks_time_steps_that_there_are() -> None:
    jobs = [defs().resolve_job_def(name) for name in ("main_job", "batch_job")]
    steps = {re.sub(r"_[0-9]+$", "", node.name) for job in jobs for node in job.graph.nodes}
    timed = {*growth.STEPS, *chain.from_iterable(main_job.STAGES.values())}
    assert timed <= steps
