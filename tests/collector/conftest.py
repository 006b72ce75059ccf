"""One collector for the tests that only talk to it."""

from collections.abc import Iterator

import pytest
from collector_room import CollectorProcess, running


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CollectorProcess]:
    with running(tmp_path_factory.mktemp("collector") / "home") as process:
        yield process
