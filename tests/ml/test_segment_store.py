"""Models on disk are read again, those of earlier versions included."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from planted import planted

from ml.segment_store import RECORD, UnknownFormat, load, save
from ml.segments import RFM, Protocol, fit_segments

FIRST_FORMAT = {
    "format": 1,
    "columns": ["days_since_last_order", "order_days_total", "revenue_total"],
    "mean": [4.1156, 1.5794, 5.7163],
    "scale": [1.0107, 0.7456, 1.4655],
    "centroids": [
        [-1.9188, 1.9799, 1.778],
        [0.8856, 1.1086, 1.2677],
        [-1.0636, 0.288, 0.3284],
        [0.6499, -0.8726, -0.9001],
    ],
    "names": ["loyal regulars", "lapsing regulars", "recent buyers", "rare buyers"],
    "selection": {"k": [3, 4], "silhouette": [0.773, 0.873], "chosen": [False, True]},
    "seed": 0,
}


def test_the_first_format_assigns_as_it_did(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text(json.dumps(FIRST_FORMAT))
    model = load(tmp_path)
    assigned = model.assign(planted())
    assert assigned["segment_id"].value_counts().to_dict() == {1: 60, 2: 90, 3: 150, 4: 300}
    assert assigned["distance"].sum() == pytest.approx(126.2343, abs=0.001)
    assert model.at_fit.silhouette == 0.873
    np.testing.assert_allclose(model.centroids_in(model.space), FIRST_FORMAT["centroids"])


def test_unknown_formats_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / RECORD).write_text('{"format": 99}')
    with pytest.raises(UnknownFormat, match=r"format 99, not 2: .* materialize segment_model"):
        load(tmp_path)


@pytest.mark.parametrize("family", ["mixture", "ward", "som"])
def test_every_kind_of_assigner_is_read_again(family: str, tmp_path: Path) -> None:
    customers = planted()
    model = fit_segments(customers, RFM, Protocol(pinned=family, pinned_k=4, bootstraps=1))
    save(model, tmp_path)
    loaded = load(tmp_path)
    assert loaded.assign(customers).equals(model.assign(customers))
    np.testing.assert_array_equal(
        loaded.centroids_in(loaded.space), model.centroids_in(model.space)
    )
