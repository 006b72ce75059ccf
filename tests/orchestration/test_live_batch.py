"""How a micro-batch is carried, as far as it needs no lake."""

from orchestration.live.batch import LARGE_BATCH_ROWS, threads_for
from orchestration.settings import Settings


def test_only_a_large_batch_has_all_threads() -> None:
    values = Settings(threads=4, live_threads=1, _env_file=None)  # type: ignore[call-arg]
    assert threads_for(0, values) == threads_for(LARGE_BATCH_ROWS - 1, values) == 1
    assert threads_for(LARGE_BATCH_ROWS, values) == 4
