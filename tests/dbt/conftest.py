"""A fresh lake per test over one parsed project."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest
from filelock import FileLock

from tests.dbt.dbt_lake import INCREMENT, DbtLake


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


@pytest.fixture(scope="session")
def grown_lake(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    shared_folder: Path,
    dbt_target: Path,
) -> Callable[[], DbtLake]:
    """A maker of lakes whose live models were run on nothing, and that know how dbt did it.

    It is made once for all processes: with `DbtLake.replay` a batch takes a second instead of ten.
    That this gives what dbt gives is a law of its own (test_incremental).
    """
    template = shared_folder / "grown"
    with FileLock(shared_folder / "grown.lock"):
        if not (template / INCREMENT).exists():
            manifest = request.getfixturevalue("manifest")
            DbtLake(tmp_path_factory.mktemp("home"), dbt_target, manifest).as_template(template)
    return lambda: DbtLake.made_from(template, tmp_path_factory.mktemp("home"), dbt_target)
