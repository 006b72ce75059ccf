"""CDNOW, as the papers on repeat purchases predict it: see docs/figures.md for the table."""

from __future__ import annotations

import pytest

from tests.ml import cdnow

pytestmark = [
    pytest.mark.skipif(not cdnow.DATA.exists(), reason=f"no {cdnow.DATA}"),
    pytest.mark.slow,
]


def test_the_estimator_ranks_and_sizes_better_than_bgnbd_whose_level_it_takes() -> None:
    found = cdnow.predict()
    assert len(found.observed) == 23_570
    bgnbd, ours = found.figures("bgnbd"), found.figures("model")
    assert bgnbd == pytest.approx(
        {"mae": 0.819, "rmse": 1.733, "correlation": 0.669, "ratio": 0.857}, abs=0.001
    )
    assert ours["ratio"] == pytest.approx(bgnbd["ratio"], abs=1e-9)
    assert ours["mae"] < 0.815
    assert ours["rmse"] < 1.71
    assert ours["correlation"] > 0.675
