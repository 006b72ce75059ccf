"""Laws of the keyed random numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.draws import below, child_keys, normal, pick, poisson, repeated, uniform

KEYS = child_keys(np.uint64(1), "test", np.arange(200_000))


@given(st.integers(0, 2**63), st.integers(1, 50), st.integers(0, 49))
def test_a_draw_depends_on_its_key_alone(seed: int, count: int, place: int) -> None:
    keys = child_keys(np.uint64(seed), "any", np.arange(count))
    place %= count
    assert uniform(keys, "x")[place] == uniform(keys[place : place + 1], "x")[0]
    assert normal(keys, "x")[place] == normal(keys[place : place + 1], "x")[0]


def test_streams_are_not_correlated() -> None:
    assert abs(np.corrcoef(uniform(KEYS, "a"), uniform(KEYS, "b"))[0, 1]) < 0.01


def test_moments_are_those_of_the_distributions() -> None:
    assert normal(KEYS, "n").mean() == pytest.approx(0, abs=0.01)
    assert normal(KEYS, "n").std() == pytest.approx(1, abs=0.01)
    for mean in (0.02, 0.7, 6.0, 150.0):
        counts = poisson(KEYS, "p", mean)
        assert counts.mean() == pytest.approx(mean, rel=0.04)
        assert counts.var() == pytest.approx(mean, rel=0.04)


def test_choices_follow_their_weights_and_stay_in_range() -> None:
    chosen = np.bincount(pick(KEYS, "w", (1, 0, 3)), minlength=3) / len(KEYS)
    assert chosen == pytest.approx([0.25, 0, 0.75], abs=0.01)
    assert set(below(KEYS, "b", 4)) == {0, 1, 2, 3}


def test_repeats_count_within_each_row() -> None:
    rows, nth = repeated(np.array([2, 0, 3]))
    assert rows.tolist() == [0, 0, 2, 2, 2]
    assert nth.tolist() == [0, 1, 0, 1, 2]
