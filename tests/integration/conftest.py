"""One demo for all tests that look at its result, whatever process they run in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from orchestration.dbt_increment import Recording, kept_increment
from tests.integration.deployment import SHOAL, Deployment
from tests.live.live_process import live_worker


@pytest.fixture(scope="session")
def demo(shared_folder: Path) -> tuple[Deployment, str]:
    """A deployment after ``shoal demo``, and what that printed.

    It is made once and seen by all processes: a test that writes to it asks for `alone`.
    """
    folder = shared_folder / "demo"
    said = folder / "said.txt"
    with FileLock(shared_folder / "demo.lock"):
        deployment = Deployment(folder / "home")
        if not said.exists():
            printed = deployment.run(str(SHOAL), "demo", "--customers", "600", "--events", "25000")
            said.write_text(printed)
    return deployment, said.read_text()


@pytest.fixture(scope="session")
def increment(demo: tuple[Deployment, str], shared_folder: Path) -> Recording:
    """What the live worker replays for each batch, as a worker recorded it on the demo."""
    deployment, _ = demo
    with FileLock(shared_folder / "writing.lock"):
        if kept_increment(deployment.values) is None:
            folder = shared_folder / "recorder"
            folder.mkdir()
            with live_worker(deployment.environment, folder, "recorder") as worker:
                worker.wait_for("log")
    recording = kept_increment(deployment.values)
    assert recording is not None
    return recording


@pytest.fixture
def alone(shared_folder: Path) -> Iterator[None]:
    """Keep the other processes' tests from writing to the demo meanwhile."""
    with FileLock(shared_folder / "writing.lock"):
        yield
