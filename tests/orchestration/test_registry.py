"""Versions are kept with their files; the champion is who was promoted last."""

from pathlib import Path

import pytest

from orchestration.registry import Registry, Version
from orchestration.settings import Settings


@pytest.fixture
def registry(values: Settings) -> Registry:
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


def test_promotion_moves_the_champion(registry: Registry, tmp_path: Path) -> None:
    registry.promote(register(registry, tmp_path / "model", "one"))
    registry.promote(register(registry, tmp_path / "model", "two"))
    champion = registry.champion("churn")
    assert champion is not None
    assert (champion.folder / "model.txt").read_text() == "two"
