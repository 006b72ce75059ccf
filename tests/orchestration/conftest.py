"""A deployment of its own for every test, in a temporary folder."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.settings import Settings
from tests.orchestration.empty_lakes import empty_lake, release
from tests.orchestration.model_room import ModelRoom, market_frame, model_room


@pytest.fixture
def values(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", _env_file=None)  # type: ignore[call-arg]


@pytest.fixture
def hasty(values: Settings) -> Settings:
    """Settings that keep nothing for its age."""
    return values.model_copy(update={"keep_snapshot_days": 0, "reader_grace_hours": 0})


@pytest.fixture
def lake(values: Settings) -> Iterator[Lake]:
    made = empty_lake(values)
    yield made
    release(made)


@pytest.fixture(scope="session")
def scratch_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    home = tmp_path_factory.mktemp("scratch")
    return empty_lake(Settings(home=home, _env_file=None))  # type: ignore[call-arg]


class _TakenBack(Exception):
    """The end of a test that leaves nothing."""


@pytest.fixture
def scratch(scratch_lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an empty lake, in a transaction that is taken back after the test.

    For what opens or ends no transaction by itself.
    """
    with (
        scratch_lake.writer("test") as connection,
        suppress(_TakenBack),
        transaction(connection),
    ):
        yield connection
        raise _TakenBack


@pytest.fixture
def writer(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a lake of its own, which keeps what is written."""
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
def room(tmp_path: Path, empty_registry: Path) -> Iterator[ModelRoom]:
    """A deployment for models, which the process's own settings name."""
    with model_room(tmp_path / "home", empty_registry) as made:
        yield made


@pytest.fixture(scope="module")
def shared_room(
    tmp_path_factory: pytest.TempPathFactory, empty_registry: Path
) -> Iterator[ModelRoom]:
    """One for all tests of a module that only look, or change what they set up themselves."""
    with model_room(tmp_path_factory.mktemp("models") / "home", empty_registry) as made:
        yield made


@pytest.fixture(scope="module")
def sound(shared_room: ModelRoom) -> ModelRoom:
    """A deployment with a champion of the ordinary market."""
    shared_room.hold(market_frame())
    assert shared_room.decide(shared_room.challenger()).promoted
    return shared_room
