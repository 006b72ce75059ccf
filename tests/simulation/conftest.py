"""One small market, written once and read by all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulated_market import Market


@pytest.fixture(scope="session")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market of 3,000 customers and about 150,000 events."""
    made = Market(tmp_path_factory.mktemp("market"))
    yield made
    made.connection.close()
