"""A deployment of its own for every test, in a temporary folder."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings


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
