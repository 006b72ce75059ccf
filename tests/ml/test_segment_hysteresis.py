"""Customers on a border stay where they are; those clearly across it move."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ml.segment_hysteresis import settle

distance = st.floats(0, 1e6, allow_nan=False)


def one(distances: list[float], held: int, threshold: float = 0.2) -> int:
    return int(settle(np.array([distances]), np.array([held]), threshold).position[0])


def test_a_slightly_nearer_segment_does_not_take_a_customer() -> None:
    assert one([1.0, 0.9], held=0) == 0
    assert one([1.0, 0.9], held=-1) == 1, "nobody held them"
    assert one([1.0, 0.79], held=0) == 1, "clearly nearer"
    assert one([1.0, 0.9], held=0, threshold=0.0) == 1, "no hysteresis"


def test_a_customer_who_goes_to_and_fro_over_the_border_does_not_flicker() -> None:
    for threshold, moves in ((0.2, 0), (0.0, 6)):
        held, seen = 0, []
        for step in range(6):
            held = one([1.0, 0.95] if step % 2 == 0 else [0.95, 1.0], held, threshold)
            seen.append(held)
        assert np.count_nonzero(np.diff([0, *seen])) == moves


def test_a_clear_move_takes_place_at_once_and_back() -> None:
    assert one([1.0, 0.1], held=0) == 1
    assert one([0.1, 1.0], held=1) == 0


def test_who_is_held_apart_has_no_segment_and_is_taken_back_by_the_nearest() -> None:
    settled = settle(np.array([[np.nan, np.nan], [1.0, 0.99]]), np.array([0, -1]))
    assert settled.position.tolist() == [-1, 1]
    assert settled.second.tolist() == [-1, 0]
    assert np.isnan(settled.margin[0])


@given(
    arrays.arrays(float, st.tuples(st.integers(1, 20), st.integers(1, 5)), elements=distance),
    st.floats(0, 0.9),
    st.integers(0, 2**32 - 1),
)
def test_settling_is_stable_local_and_signed(
    distances: np.ndarray, threshold: float, seed: int
) -> None:
    rows, k = distances.shape
    held = np.random.default_rng(seed).integers(-1, k, rows)
    settled = settle(distances, held, threshold)
    own = distances[np.arange(rows), settled.position]
    nearest = distances.min(axis=1)
    # nobody is farther from their segment than the threshold allows
    assert (own * (1 - threshold) <= nearest + 1e-9 * (1 + own)).all()
    # a move ends in the nearest segment, and settling again changes nothing
    moved = settled.position != held
    assert (own[moved] == nearest[moved]).all()
    again = settle(distances, settled.position, threshold)
    assert (again.position == settled.position).all()
    # the sign of the margin says whether another is nearer
    assert ((settled.margin < 0) == (own > nearest)).all() or k == 1
    # rows need nothing of each other
    half = rows // 2
    parts = [
        settle(distances[part], held[part], threshold) for part in (slice(half), slice(half, None))
    ]
    assert np.concatenate([part.position for part in parts]).tolist() == settled.position.tolist()


def test_a_lone_segment_has_no_second() -> None:
    settled = settle(np.array([[2.0]]), np.array([0]))
    assert settled.second.tolist() == [-1]
    assert settled.margin[0] == pytest.approx(1)
