"""Several threads give what one gives, in its order, and hold no more than they work on."""

import threading
import time
from collections.abc import Iterator

import pytest

from orchestration.threads import map_in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads: int) -> None:
    def slower_at_first(item: int) -> int:
        time.sleep((20 - item) / 2_000)
        return item * item

    assert list(map_in_threads(slower_at_first, range(20), threads)) == [n * n for n in range(20)]


def test_two_items_are_under_way_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)
    assert list(map_in_threads(lambda item: meeting.wait() >= 0, range(4), 2)) == [True] * 4


@pytest.mark.parametrize("threads", [1, 3])
def test_items_are_taken_as_they_are_needed(threads: int) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = map_in_threads(lambda item: item, items(), threads)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    assert len(taken) <= 5 + threads


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_an_item_is_the_callers(threads: int) -> None:
    def refusing(item: int) -> int:
        if item == 2:
            raise ValueError("the third")
        return item

    results = map_in_threads(refusing, range(6), threads)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(results)
