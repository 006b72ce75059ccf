"""What every test shares: the threading settings of the product, and who may run side by side."""

from pathlib import Path

import pytest

import orchestration  # noqa: F401  (sets the environment of the numeric libraries)

INTEGRATION = Path(__file__).parent / "integration"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one file share its fixtures, those of integration one deployment and set-up."""
    for item in items:
        group = INTEGRATION if INTEGRATION in item.path.parents else item.path
        item.add_marker(pytest.mark.xdist_group(str(group)))
