"""One lake for all tests of ingestion, empty at the start of each."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from ingestion_room import Room

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings


@pytest.fixture(scope="session")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    home = tmp_path_factory.mktemp("ingestion")
    values = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
    with Lake.from_settings(values).writer("tests of ingestion") as connection:
        create_tables(connection)
        yield connection


@pytest.fixture
def room(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Room:
    room = Room(connection, tmp_path / "landing")
    room.empty()
    return room
