"""Segments found again a month later are those of the month before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.segment_hysteresis import HYSTERESIS, settle
from ml.segment_identity import keep_identity
from ml.segments import Protocol, SegmentModel, fit_segments
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


def kept_share(
    old: SegmentModel,
    new: SegmentModel,
    month: pd.DataFrame,
    now: pd.DataFrame,
    threshold: float,
) -> float:
    """Share of customers whom the new segments leave where the old ones have them now."""
    held = settle(distances(old, month), np.full(len(now), -1), threshold).position
    held = settle(distances(old, now), held, threshold).position
    ids = np.array([*old.ids, -1])[held]
    inside = np.array([new.ids.index(i) if i in new.ids else -1 for i in ids])
    after = settle(distances(new, now), inside, threshold).position
    kept = np.array([*new.ids, -1])[after] == ids
    return float(kept[held >= 0].mean())


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, MONTH, 2 * MONTH - 1])
def test_training_on_the_next_month_leaves_customers_in_their_segments(
    history: History, start: int
) -> None:
    """At least 95 % keep id and name, and hysteresis helps."""
    month, now = history.as_of(start), history.as_of(start + MONTH)
    protocol = Protocol(families=("kmeans", "mixture"), bootstraps=5)
    old = fit_segments(month, protocol=protocol)
    fitted = fit_segments(now, protocol=protocol, earlier=month, incumbent=old)
    new, identity = keep_identity(fitted, old, now)
    assert not identity.born + identity.retired
    assert dict(zip(new.ids, new.names, strict=True)) == dict(zip(old.ids, old.names, strict=True))
    plain, settled = (kept_share(old, new, month, now, each) for each in (0.0, HYSTERESIS))
    print(f"kept without hysteresis {plain:.4f}, with {settled:.4f}")
    assert settled >= max(plain, 0.95)
