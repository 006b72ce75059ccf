"""Segments are fresh while customers stay alike, and stale in the way that they changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted import noise, planted

from ml.segment_staleness import Limits, staleness
from ml.segments import Protocol, SegmentModel, fit_segments


@pytest.fixture(scope="module")
def model() -> SegmentModel:
    protocol = Protocol(families=("kmeans",), k_range=(4,), bootstraps=1)
    return fit_segments(planted(), protocol=protocol)


def test_other_customers_of_the_same_kind_are_fresh(model: SegmentModel) -> None:
    found = staleness(model, planted(seed=11))
    assert not found.stale
    assert found.drift < 0.2
    assert found.far_share == pytest.approx(0.05, abs=0.03)
    assert found.verdict == "the segments still fit"


def test_groups_that_moved_are_drift(model: SegmentModel) -> None:
    later = planted().assign(revenue_total=lambda rows: rows["revenue_total"] * 1.3)
    found = staleness(model, later)
    assert found.drift > 0.5
    assert "the groups have moved" in found.verdict


def test_groups_that_dissolve_lose_their_silhouette(model: SegmentModel) -> None:
    found = staleness(model, planted(spread=0.9))
    assert found.silhouette < 0.8 * found.silhouette_at_fit
    assert "silhouette fell" in found.verdict


def test_only_new_customers_count_as_far(model: SegmentModel) -> None:
    both = pd.concat([planted(), noise(150)], ignore_index=True)
    new = np.arange(len(both)) >= 600
    assert staleness(model, both, new).far_share > 0.8
    assert staleness(model, both, ~new).far_share == pytest.approx(0.05, abs=0.005)
    few = staleness(model, both, np.arange(len(both)) >= len(both) - 5)
    assert np.isnan(few.far_share)
    loose = Limits(drift=100, silhouette_kept=0, far_share=1)
    assert not staleness(model, both, new, loose).stale


def test_nobody_with_a_segment_is_stale(model: SegmentModel) -> None:
    nobody = planted().assign(order_days_total=0)
    assert staleness(model, nobody).verdict.endswith("nobody has a segment")
