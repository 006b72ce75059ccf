"""Segments mean the same whatever the order, unit or file they come through."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from ml.segment_names import name_segments
from ml.segments import NoSegments, SegmentModel, fit_segments

GROUPS = ((8, 20, 4000, 60), (20, 5, 500, 150), (120, 1.5, 80, 300), (150, 10, 2000, 90))


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    parts = []
    for truth, (recency, frequency, monetary, size) in enumerate(GROUPS):
        spread = rng.lognormal(0, 0.15, (size, 3))
        values = np.array([recency, frequency, monetary]) * spread
        parts.append(
            pd.DataFrame(values, columns=["days_since_last_order", "order_days", "revenue"]).assign(
                truth=truth
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    return frame.sample(frac=1, random_state=1, ignore_index=True)


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> SegmentModel:
    return fit_segments(customers)


def test_planted_groups_are_found(model: SegmentModel, customers: pd.DataFrame) -> None:
    found = model.assign(customers)["segment_id"]
    assert model.k == len(GROUPS)
    assert adjusted_rand_score(customers["truth"], found) > 0.95


def test_ids_fall_with_value_and_names_are_unique(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    profile = model.profile(customers)
    assert profile["segment_id"].tolist() == [1, 2, 3, 4]
    assert profile["mean_monetary"].is_monotonic_decreasing
    assert profile["share"].sum() == pytest.approx(1)
    assert len(set(model.names)) == model.k
    assert model.names[0] == "loyal big-spending regulars"


def test_row_order_changes_nothing(model: SegmentModel, customers: pd.DataFrame) -> None:
    shuffled = customers.sample(frac=1, random_state=5)
    again = fit_segments(shuffled)
    assert again.to_json() == model.to_json()
    pd.testing.assert_frame_equal(
        again.assign(shuffled).sort_index(), model.assign(customers).sort_index()
    )


def test_the_unit_of_money_hardly_matters(model: SegmentModel, customers: pd.DataFrame) -> None:
    pence = customers.assign(revenue=customers["revenue"] * 100)
    assert (
        adjusted_rand_score(
            fit_segments(pence).assign(pence)["segment_id"], model.assign(customers)["segment_id"]
        )
        > 0.98
    )


def test_customers_without_orders_are_held_apart(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    browsers = pd.DataFrame(
        {"days_since_last_order": [np.nan, 5.0], "order_days": [0, 0], "revenue": [0.0, 0.0]}
    )
    both = pd.concat([customers, browsers], ignore_index=True)
    assert fit_segments(both).to_json() == model.to_json()
    assigned = model.assign(both).tail(2)
    assert assigned["segment_id"].tolist() == [0, 0]
    assert set(assigned["segment_name"]) == {"browsers without orders"}
    assert assigned["distance"].isna().all()
    assert model.profile(both)["customers"].sum() == len(both)


def test_loaded_model_assigns_identically(model: SegmentModel, customers: pd.DataFrame) -> None:
    loaded = SegmentModel.from_json(model.to_json())
    pd.testing.assert_frame_equal(loaded.assign(customers), model.assign(customers))
    pd.testing.assert_frame_equal(loaded.selection, model.selection)


def test_a_tiny_segment_is_rejected(customers: pd.DataFrame) -> None:
    far = pd.DataFrame({"days_since_last_order": [1.0], "order_days": [9e6], "revenue": [9e9]})
    table = fit_segments(pd.concat([customers] * 2 + [far], ignore_index=True)).selection
    assert (table.loc[table["chosen"], "smallest_share"] >= 0.02).all()
    assert not table.loc[table["smallest_share"] < 0.02, "eligible"].any()


def test_renumbering_moves_ids_and_names_together(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    turned = model.renumbered([4, 3, 2, 1])
    np.testing.assert_array_equal(
        turned.assign(customers)["segment_id"], 5 - model.assign(customers)["segment_id"]
    )
    assert turned.assign(customers)["segment_name"].equals(model.assign(customers)["segment_name"])
    with pytest.raises(ValueError, match="each of 1 to 4"):
        model.renumbered([1, 1, 2, 3])


def test_too_few_customers_say_so(customers: pd.DataFrame) -> None:
    with pytest.raises(NoSegments, match="3 customers with orders"):
        fit_segments(customers.head(3))
    same = customers.head(1).loc[[0] * 50]
    with pytest.raises(NoSegments, match="1 distinct"):
        fit_segments(same)


def test_equal_descriptions_get_different_names() -> None:
    names = name_segments(np.array([[0, 0, 0.4], [0, 0, 0.1], [0, 0, -0.2], [2, -1, -1]]))
    assert len(set(names)) == 4
    assert names[0] == "occasional buyers, most spend"
