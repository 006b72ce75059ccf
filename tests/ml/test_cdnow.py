"""CDNOW, as the papers on repeat purchases predict it: see docs/figures.md for the table."""

from __future__ import annotations

import pytest

from ml.repeat_purchases import predict_repeat_purchases
from tests.ml import cdnow

pytestmark = [
    pytest.mark.skipif(not cdnow.DATA.exists(), reason=f"no {cdnow.DATA}"),
    pytest.mark.slow,
]


def test_the_estimator_ranks_and_sizes_better_than_bgnbd_whose_level_it_takes() -> None:
    found = predict_repeat_purchases(cdnow.purchase_days(), cdnow.CUTOFF, cdnow.HELD_OUT_DAYS)
    assert len(found.observed) == 23_570
    table = found.figures(rounds=2).table().pivot(index="model", columns="metric", values="value")
    bgnbd, ours = table.loc["bgnbd"].to_dict(), table.loc["model"].to_dict()
    assert bgnbd == pytest.approx(
        {"mae": 0.819, "rmse": 1.733, "correlation": 0.669, "aggregate_ratio": 0.857}, abs=0.001
    )
    assert ours["aggregate_ratio"] == pytest.approx(bgnbd["aggregate_ratio"], abs=1e-9)
    assert ours["mae"] < 0.815
    assert ours["rmse"] < 1.71
    assert ours["correlation"] > 0.675
