"""A fresh lake per test over one parsed project."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest

from tests.dbt.dbt_lake import DbtLake


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's target folder."""
    return tmp_path_factory.mktemp("dbt_target")


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory, dbt_target: Path) -> Manifest:
    """The project, parsed once: nothing in it depends on a lake."""
    parsed = DbtLake(tmp_path_factory.mktemp("parse"), dbt_target).try_dbt("parse").result
    assert isinstance(parsed, Manifest)
    return parsed


@pytest.fixture(scope="session")
def new_lake(
    tmp_path_factory: pytest.TempPathFactory, dbt_target: Path, manifest: Manifest
) -> Callable[[], DbtLake]:
    """A maker of empty lakes with their seeds."""
    return lambda: DbtLake(tmp_path_factory.mktemp("home"), dbt_target, manifest)
