"""Many files become several batches, so that memory does not grow with what waits."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from orchestration.ingestion.files import LandedFile, batches_of
from orchestration.ingestion.reports import BatchReport


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 60))
def test_batches_keep_the_order_and_their_limit(sizes: list[int], most: int) -> None:
    files = [
        LandedFile(Path(str(n)), "events", "hour", str(n), size, 0) for n, size in enumerate(sizes)
    ]
    batches = list(batches_of(files, most))
    assert [file for batch in batches for file in batch] == files
    for batch in batches:
        assert batch
        assert len(batch) == 1 or sum(file.size for file in batch) <= most
    for batch, after in pairwise(batches):
        assert sum(file.size for file in batch) + after[0].size > most


def test_reports_of_batches_add_up() -> None:
    first = BatchReport(1, (), ("seen",), {"a": "changed"})
    nothing = BatchReport(None, (), (), {"b": "gone"})
    both = first.and_then(nothing)
    assert both == BatchReport(1, (), ("seen",), {"a": "changed", "b": "gone"})
    assert nothing.and_then(BatchReport(2)).batch_id == 2
