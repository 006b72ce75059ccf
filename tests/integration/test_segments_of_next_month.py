"""Segments found again a month later are those of the month before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.segment_hysteresis import HYSTERESIS, settle
from ml.segment_identity import keep_identity
from ml.segments import Protocol, fit_segments
from tests.benchmarks.segment_borders import History, distances, order_days

ONLINE_RETAIL = Path(__file__).parents[3] / "shared/data/online_retail/online_retail.parquet"
MONTH = 30


@pytest.fixture(scope="module", params=["simulated", "online retail"])
def history(request: pytest.FixtureRequest) -> History:
    path = None
    if request.param == "online retail":
        if not ONLINE_RETAIL.exists():
            pytest.skip(f"no {ONLINE_RETAIL}")
        path = str(ONLINE_RETAIL)
    return History(order_days(path), days=3 * MONTH)


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, MONTH, 2 * MONTH - 1])
def test_training_on_the_next_month_leaves_customers_in_their_segments(
    history: History, start: int
) -> None:
    """At least 95 % keep id and name, with hysteresis and without."""
    month, now = history.as_of(start), history.as_of(start + MONTH)
    protocol = Protocol(families=("kmeans", "mixture"), bootstraps=5)
    old = fit_segments(month, protocol=protocol)
    fitted = fit_segments(now, protocol=protocol, earlier=month, incumbent=old)
    new, identity = keep_identity(fitted, old, now)
    assert not identity.born + identity.retired
    assert dict(zip(new.ids, new.names, strict=True)) == dict(zip(old.ids, old.names, strict=True))
    nobody = np.full(len(now), -1)
    for threshold in (0.0, HYSTERESIS):
        held = settle(distances(old, month), nobody, threshold).position
        held = settle(distances(old, now), held, threshold).position
        ids = np.array([*old.ids, -1])[held]
        held_now = np.array([new.ids.index(i) if i in new.ids else -1 for i in ids])
        kept = np.array([*new.ids, -1])[settle(distances(new, now), held_now, threshold).position]
        placed = held >= 0
        print(f"kept with threshold {threshold}: {(kept == ids)[placed].mean():.4f}")
        assert (kept == ids)[placed].mean() >= 0.95
