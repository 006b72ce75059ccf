"""A deployment of its own for every test, in a temporary folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.settings import Settings, settings
from tests.orchestration.model_room import ModelRoom


@pytest.fixture
def values(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", _env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def lake(values: Settings) -> Lake:
    lake = Lake.from_settings(values)
    with lake.writer("test set-up") as connection:
        create_tables(connection)
    return lake


@pytest.fixture
def writer(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    with lake.writer("test") as connection:
        yield connection


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's database without a model: making its tables takes seconds."""
    home = tmp_path_factory.mktemp("empty-registry")
    values = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    assert Registry(values).challenger("churn") is None
    return values.registry_store


@pytest.fixture
def room(
    values: Settings, lake: Lake, empty_registry: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelRoom]:
    """A deployment for models, which the process's own settings name."""
    monkeypatch.setenv("SHOAL_HOME", str(values.home))
    monkeypatch.setenv("SHOAL_THREADS", "1")
    settings.cache_clear()
    values.registry_store.parent.mkdir(parents=True)
    shutil.copy(empty_registry, values.registry_store)
    yield ModelRoom(settings(), lake)
    settings.cache_clear()
