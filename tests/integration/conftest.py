"""One demo for all tests that look at its result."""

import pytest

from tests.integration.deployment import SHOAL, Deployment


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, str]:
    """A deployment after ``shoal demo``, and what that printed."""
    deployment = Deployment(tmp_path_factory.mktemp("main-job"))
    said = deployment.run(str(SHOAL), "demo", "--customers", "600", "--events", "25000")
    return deployment, said
