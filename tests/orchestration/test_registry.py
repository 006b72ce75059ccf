"""Versions are kept with their files; the champion is who was promoted last."""

import shutil
from pathlib import Path

import pytest

from orchestration.registry import NoSuchVersion, Registry, Version
from orchestration.settings import Settings


@pytest.fixture
def registry(values: Settings, empty_registry: Path) -> Registry:
    values.registry_store.parent.mkdir(parents=True)
    shutil.copy(empty_registry, values.registry_store)
    return Registry(values)


def register(registry: Registry, folder: Path, content: str) -> Version:
    folder.mkdir(exist_ok=True)
    (folder / "model.txt").write_text(content)
    return registry.register(
        "churn", folder, metrics={"auc": 0.7}, parameters={"seed": 7}, tags={"lake_snapshot": "3"}
    )


def test_there_is_no_champion_before_a_promotion(registry: Registry, tmp_path: Path) -> None:
    assert registry.champion("churn") is None
    register(registry, tmp_path / "model", "one")
    assert registry.champion("churn") is None


def test_the_champion_keeps_its_files_and_record(registry: Registry, tmp_path: Path) -> None:
    registry.promote(register(registry, tmp_path / "model", "one"))
    register(registry, tmp_path / "model", "two")
    champion = registry.champion("churn")
    assert champion is not None
    assert (champion.number, champion.label) == (1, "churn:1")
    assert (champion.folder / "model.txt").read_text() == "one"
    assert champion.tags["lake_snapshot"] == "3"


def test_the_tables_say_what_mlflow_says(registry: Registry, tmp_path: Path) -> None:
    """Reading MLflow's own tables is quick, and depends on how its pinned version keeps them."""
    assert registry.champion("churn") == registry.champion_by_mlflow("churn") is None
    for content in ("one", "two"):
        registry.promote(register(registry, tmp_path / "model", content))
        assert registry.champion("churn") == registry.champion_by_mlflow("churn")


def test_the_tables_name_the_snapshots_that_mlflow_names(
    registry: Registry, tmp_path: Path
) -> None:
    assert registry.lake_snapshots() == registry.lake_snapshots_by_mlflow() == set()
    versions = [register(registry, tmp_path / "model", content) for content in ("one", "two")]
    registry.tag(versions[1], {"lake_snapshot": "4"})
    assert registry.lake_snapshots() == registry.lake_snapshots_by_mlflow() == {3, 4}
    registry.forget(versions[0])
    assert registry.lake_snapshots() == registry.lake_snapshots_by_mlflow() == {4}


def test_promotion_moves_the_champion(registry: Registry, tmp_path: Path) -> None:
    registry.promote(register(registry, tmp_path / "model", "one"))
    registry.promote(register(registry, tmp_path / "model", "two"))
    champion = registry.champion("churn")
    assert champion is not None
    assert (champion.folder / "model.txt").read_text() == "two"


def test_a_rollback_goes_back_one_champion_at_a_time(registry: Registry, tmp_path: Path) -> None:
    for content in ("one", "two", "three"):
        registry.promote(register(registry, tmp_path / "model", content), f"because of {content}")
    register(registry, tmp_path / "model", "refused")
    assert registry.roll_back("churn", reason="odd scores").number == 2
    assert registry.champion("churn") == registry.champion_by_mlflow("churn")
    assert registry.roll_back("churn").number == 1
    champion = registry.champion("churn")
    assert champion is not None
    assert (champion.folder / "model.txt").read_text() == "one"
    with pytest.raises(NoSuchVersion, match=r"name a version with --to \(there are: 1, 2, 3, 4\)"):
        registry.roll_back("churn")
    log = registry.reigns("churn")
    assert [reign.number for reign in log] == [1, 2, 3, 2, 1]
    assert [reign.is_rollback for reign in log] == [False, False, False, True, True]
    assert (log[0].reason, log[3].reason) == ("because of one", "odd scores")
    assert [reign.since for reign in log] == sorted(reign.since for reign in log)


def test_a_rollback_to_a_named_version_can_be_taken_back(
    registry: Registry, tmp_path: Path
) -> None:
    for content in ("one", "two"):
        registry.promote(register(registry, tmp_path / "model", content))
    never_champion = register(registry, tmp_path / "model", "three")
    assert registry.roll_back("churn", to=3) == never_champion
    assert registry.roll_back("churn").number == 2
    registry.promote(never_champion)
    assert registry.roll_back("churn").number == 2


def test_a_crash_between_log_and_alias_leaves_the_champion(
    registry: Registry, tmp_path: Path
) -> None:
    for content in ("one", "two"):
        registry.promote(register(registry, tmp_path / "model", content))
    client = registry._client()
    client.set_registered_model_alias("churn", "champion", "1")  # as before the second promotion
    with pytest.raises(NoSuchVersion, match="no earlier champion"):
        registry.roll_back("churn")
    champion = registry.champion("churn")
    assert champion is not None
    assert champion.number == 1


def test_a_champion_from_before_the_log_can_be_gone_back_to(
    registry: Registry, tmp_path: Path
) -> None:
    register(registry, tmp_path / "model", "one")
    registry._client().set_registered_model_alias("churn", "champion", "1")
    registry.promote(register(registry, tmp_path / "model", "two"))
    assert registry.roll_back("churn").number == 1


@pytest.mark.parametrize(("task", "number"), [("churn", 9), ("chrun", 1), ("a' or 'b", 1)])
def test_what_is_not_there_is_named(
    registry: Registry, tmp_path: Path, task: str, number: int
) -> None:
    register(registry, tmp_path / "model", "one")
    with pytest.raises(NoSuchVersion, match=r"churn has no version 9 \(there are: 1\)|chrun|a' or"):
        registry.roll_back(task, to=number)


def test_a_challenger_is_one_until_it_is_promoted(registry: Registry, tmp_path: Path) -> None:
    for content in ("one", "two"):
        registry.challenge(register(registry, tmp_path / "model", content))
    challenger = registry.challenger("churn")
    assert challenger is not None
    assert challenger.number == 2
    assert registry.aliases("churn") == {2: ("challenger",)}
    registry.promote(challenger)
    assert registry.challenger("churn") is None
    assert registry.aliases("churn") == {2: ("champion",)}


def test_a_forgotten_version_is_gone_with_its_files(registry: Registry, tmp_path: Path) -> None:
    first, second = (register(registry, tmp_path / "model", name) for name in ("one", "two"))
    registry.promote(second)
    registry.forget(first)
    assert [version.number for version in registry.versions("churn")] == [2]
    assert (first.folder.exists(), second.folder.exists()) == (False, True)
    assert registry.tasks() == ["churn"]
    champion = registry.champion("churn")
    assert champion is not None
    assert (champion.folder / "model.txt").read_text() == "two"
    assert register(registry, tmp_path / "model", "three").number == 3
