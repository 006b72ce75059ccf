"""Segments mean the same whatever the order, unit or file they come through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted import COLUMNS, GROUPS, noise, planted
from sklearn.metrics import adjusted_rand_score

from ml.segment_store import load, save
from ml.segments import NoSegments, Protocol, SegmentModel, fit_segments

KMEANS = Protocol(families=("kmeans",), k_range=(3, 4, 5, 6), bootstraps=3)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return planted()


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> SegmentModel:
    return fit_segments(customers, protocol=KMEANS)


def files(model: SegmentModel, folder: Path) -> dict[str, bytes]:
    """What a model is on disk."""
    folder.mkdir()
    save(model, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_planted_groups_are_found(model: SegmentModel, customers: pd.DataFrame) -> None:
    assigned = model.assign(customers)
    assert model.k == len(GROUPS)
    assert adjusted_rand_score(customers["truth"], assigned["segment_id"]) > 0.95
    assert assigned["margin"].between(0, 1).all()
    assert (assigned["second_id"] != assigned["segment_id"]).all()


def test_ids_fall_with_value_and_names_are_unique(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    profile = model.profile(customers)
    assert profile["segment_id"].tolist() == [1, 2, 3, 4]
    assert profile["mean_monetary"].is_monotonic_decreasing
    assert profile["share"].sum() == pytest.approx(1)
    assert profile["monetary_share"].sum() == pytest.approx(1)
    assert model.names[0] == "loyal big spenders"
    assert len(set(model.names)) == len(set(model.colours)) == model.k


def test_order_of_rows_and_columns_changes_nothing(
    model: SegmentModel, customers: pd.DataFrame, tmp_path: Path
) -> None:
    shuffled = customers.sample(frac=1, random_state=5)[customers.columns[::-1]]
    again = fit_segments(shuffled, protocol=KMEANS)
    assert files(again, tmp_path / "again") == files(model, tmp_path / "model")
    pd.testing.assert_frame_equal(
        again.assign(shuffled).sort_index(), model.assign(customers).sort_index()
    )


def test_the_unit_of_money_changes_nothing(model: SegmentModel, customers: pd.DataFrame) -> None:
    pence = customers.assign(revenue_total=customers["revenue_total"] * 100)
    again = fit_segments(pence, protocol=KMEANS)
    pd.testing.assert_frame_equal(again.assign(pence), model.assign(customers))
    np.testing.assert_allclose(again.centroids_in(model.space)[:, :2], model_points(model)[:, :2])


def model_points(model: SegmentModel) -> np.ndarray:
    return model.centroids_in(model.space)


def test_customers_without_orders_are_held_apart(
    model: SegmentModel, customers: pd.DataFrame, tmp_path: Path
) -> None:
    browsers = pd.DataFrame({COLUMNS[0]: [np.nan, 5.0], COLUMNS[1]: [0, 0], COLUMNS[2]: [0.0, 0.0]})
    both = pd.concat([customers, browsers], ignore_index=True)
    again = fit_segments(both, protocol=KMEANS)
    assert files(again, tmp_path / "again") == files(model, tmp_path / "model")
    assigned = model.assign(both).tail(2)
    assert assigned["segment_id"].tolist() == assigned["second_id"].tolist() == [0, 0]
    assert set(assigned["segment_name"]) == {"browsers without orders"}
    assert assigned[["distance", "margin"]].isna().all(axis=None)
    assert model.profile(both)["customers"].sum() == len(both)


def test_loaded_model_assigns_identically(
    model: SegmentModel, customers: pd.DataFrame, tmp_path: Path
) -> None:
    written = files(model, tmp_path / "one")
    loaded = load(tmp_path / "one")
    pd.testing.assert_frame_equal(loaded.assign(customers), model.assign(customers))
    pd.testing.assert_frame_equal(loaded.selection, model.selection)
    assert files(loaded, tmp_path / "two") == written


def test_a_tiny_segment_is_rejected(customers: pd.DataFrame) -> None:
    far = pd.DataFrame(dict(zip(COLUMNS, ([1.0], [9e6], [9e9]), strict=True)))
    crowd = pd.concat([customers, far], ignore_index=True)
    table = fit_segments(crowd, protocol=KMEANS).selection
    tiny = table["smallest_share"] < 0.02
    assert tiny.any()
    assert not table.loc[tiny, ["eligible", "finalist", "chosen"]].any(axis=None)


def test_relabelling_moves_ids_and_keeps_groups(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    turned = model.relabelled([7, 3, 2, 9])
    before, after = (m.assign(customers) for m in (model, turned))
    np.testing.assert_array_equal(
        after["segment_id"], before["segment_id"].map({1: 7, 2: 3, 3: 2, 4: 9})
    )
    assert after["segment_name"].equals(before["segment_name"])
    assert turned.next_id == 10
    assert turned.name_of(7) == model.name_of(1)
    with pytest.raises(ValueError, match="ids must differ"):
        model.relabelled([1, 1, 2, 3])
    with pytest.raises(ValueError, match="names must differ"):
        model.relabelled([1, 2, 3, 4], names=["same"] * 4)


def test_nobody_is_assigned_nothing(model: SegmentModel, customers: pd.DataFrame) -> None:
    nobody = model.assign(customers.head(0))
    assert nobody.empty
    assert list(nobody.columns) == list(model.assign(customers).columns)


def test_a_model_describes_itself(model: SegmentModel) -> None:
    assert model.description == (
        "K-means, 4 groups; a customer belongs to the nearest centre, by rfm"
    )


def test_too_few_customers_say_so(customers: pd.DataFrame) -> None:
    with pytest.raises(NoSegments, match="3 customers, 3 distinct"):
        fit_segments(customers.head(3))
    with pytest.raises(NoSegments, match="alike"):
        fit_segments(customers.head(1).loc[[0] * 50])
    with pytest.raises(NoSegments, match="none of 5 customers"):
        fit_segments(customers.head(5).assign(order_days_total=0))


def test_training_again_goes_on_from_what_is_in_force() -> None:
    """Without groups K-means has many solutions of one quality; it must keep to its own."""
    protocol = Protocol(families=("kmeans",), k_range=(9,), bootstraps=1)
    first, second = noise(800, seed=1), noise(800, seed=2)
    model = fit_segments(first, protocol=protocol)
    alone = fit_segments(second, protocol=protocol, seed=5)
    again = fit_segments(second, protocol=protocol, incumbent=model, seed=5)
    placed = model.assign(second)["segment_id"].to_numpy()
    kept, lost = (
        adjusted_rand_score(placed, new.assign(second)["segment_id"]) for new in (again, alone)
    )
    assert kept > lost + 0.05


def test_groups_that_are_gone_do_not_hold_a_segmentation_back(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    three = planted(groups=((8, 20, 4000, 200), (100, 4, 60, 200), (300, 1.2, 900, 200)))
    again = fit_segments(three, protocol=KMEANS, incumbent=model)
    assert again.k == 3
    assert adjusted_rand_score(three["truth"], again.assign(three)["segment_id"]) > 0.95
