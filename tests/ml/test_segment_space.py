"""The space has no unit, no order and no outliers, and says what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import noise, planted

from ml.matrix import FeatureError
from ml.segment_columns import PRIOR, NoSegments, SpaceColumn, SpaceSpec, plain_space
from ml.segment_sample import canonical_order, even_rows
from ml.segment_space import FARTHEST, SegmentSpace, fit_space
from ml.segment_spaces import DESCRIBED, HABITS, RFM


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return planted()


def spec(*columns: SpaceColumn, **options: object) -> SpaceSpec:
    return SpaceSpec("test", columns, **options)  # type: ignore[arg-type]


def in_own_units(frame: pd.DataFrame, *columns: SpaceColumn) -> np.ndarray:
    space = fit_space(frame, spec(*columns))
    return space.unlogged(space.logged(frame))


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_units_do_not_change_points(customers: pd.DataFrame, scaling: str) -> None:
    names = ["days_since_last_order", "order_days_total", "revenue_total"]
    made = plain_space("plain", names, scaling=scaling)
    factors = dict(zip(names, (24, 7, 0.01), strict=True))
    other = customers.assign(**{name: customers[name] * f for name, f in factors.items()})
    np.testing.assert_allclose(
        fit_space(other, made).points(other), fit_space(customers, made).points(customers)
    )


def test_robust_points_have_median_zero_and_the_spread_of_a_normal() -> None:
    normal = pd.DataFrame({"x": np.random.default_rng(0).normal(7, 3, 20_000)})
    points = fit_space(normal, spec(SpaceColumn("x", transform="plain"))).points(normal)
    assert np.median(points) == pytest.approx(0, abs=1e-12)
    assert points.std() == pytest.approx(1, abs=0.03)


def test_one_impossible_customer_moves_robust_scaling_little() -> None:
    customers = noise()
    mad = customers.head(1).assign(revenue_total=1e14)
    crowd = pd.concat([customers, mad], ignore_index=True)
    moved = []
    for made in (RFM, replace(RFM, scaling="standard")):
        clean, crowded = (fit_space(frame, made) for frame in (customers, crowd))
        moved.append(np.abs(crowded.points(customers) - clean.points(customers)).max())
        assert np.abs(clean.points(mad)).max() == FARTHEST
    assert moved[0] < 0.05 < moved[1]


def test_mostly_zero_columns_fall_back_on_the_standard_deviation() -> None:
    rare = pd.DataFrame({"x": [0.0] * 90 + [1.0] * 10})
    space = fit_space(rare, spec(SpaceColumn("x", transform="plain")))
    assert space.scale[0] == pytest.approx(0.3)
    assert np.isfinite(space.points(rare)).all()


def test_nulls_are_filled_as_declared_or_hold_the_customer_apart() -> None:
    frame = pd.DataFrame({"a": [1.0, 3.0, np.nan, 8.0], "b": [5.0, np.nan, 1.0, 2.0]})
    filled = in_own_units(frame, SpaceColumn("a", fill="median"), SpaceColumn("b", fill="zero"))
    np.testing.assert_allclose(filled[[2, 1], [0, 1]], [3, 0])
    held = in_own_units(frame, SpaceColumn("a", fill=None), SpaceColumn("b"))
    assert np.isnan(held).any(axis=1).tolist() == [False, False, True, False]


def test_empty_and_constant_columns_are_left_out_with_a_notice(customers: pd.DataFrame) -> None:
    columns = (SpaceColumn("revenue_total"), SpaceColumn("same"), SpaceColumn("empty"))
    space = fit_space(customers.assign(same=3.0, empty=np.nan), spec(*columns))
    assert space.columns == ("revenue_total",)
    assert space.notices == (
        "empty: left out, no customer has a value",
        "same: left out, 3 for every customer",
    )
    with pytest.raises(NoSegments, match="alike"):
        fit_space(customers.assign(same=3.0, empty=np.nan), spec(*columns[1:]))


def test_a_missing_column_is_named_unless_it_only_describes(customers: pd.DataFrame) -> None:
    with pytest.raises(FeatureError, match=r"missing feature columns: .*average_order_value"):
        fit_space(customers, HABITS)
    notices = fit_space(customers, RFM).notices
    assert len(notices) == len(DESCRIBED)
    assert "discount_share: left out, not in the table" in notices


def test_logs_are_undone(customers: pd.DataFrame) -> None:
    frame = customers.assign(net=customers["revenue_total"] - 500, share=0.25, same=1.0)
    frame.loc[0, "share"] = 0.5
    found = in_own_units(frame, SpaceColumn("net"), SpaceColumn("share", "share"))
    np.testing.assert_allclose(found, frame[["net", "share"]])
    assert found.min() < 0


def test_a_ratio_is_null_without_a_denominator() -> None:
    frame = pd.DataFrame({"money": [8.0, 8.0, 3.0], "lines": [1.0, 2.0, np.nan]})
    column = SpaceColumn("money", "plain", per="lines", fill="median")
    assert in_own_units(frame, column)[:, 0].tolist() == [8.0, 4.0, 6.0]
    assert fit_space(frame, spec(column)).columns == ("money per lines",)


def test_little_evidence_is_drawn_to_the_mean() -> None:
    frame = pd.DataFrame({"share": [1.0, 1.0, 0.0, np.nan], "orders": [1.0, 98.0, 3.0, np.nan]})
    found = in_own_units(frame, SpaceColumn("share", "share", evidence="orders"))[:, 0]
    mean = 2 / 3
    expected = [(n * x + PRIOR * mean) / (n + PRIOR) for x, n in ((1, 1), (1, 98), (0, 3), (0, 0))]
    np.testing.assert_allclose(found, expected)
    halves = SpaceColumn("share", "share", evidence="orders", evidence_per=2.0)
    assert in_own_units(frame, halves)[0, 0] < found[0]


def test_too_few_orders_hold_a_customer_apart(customers: pd.DataFrame) -> None:
    made = SpaceSpec("few", RFM.columns, orders="order_days_total", least_orders=3)
    apart = np.isnan(fit_space(customers, made).points(customers)).any(axis=1)
    np.testing.assert_array_equal(apart, customers["order_days_total"] < 3)
    assert 0 < apart.mean() < 1


def test_columns_that_only_describe_move_nobody(customers: pd.DataFrame) -> None:
    frame = customers.assign(discount_share=np.linspace(0, 1, len(customers)), orders_total=5.0)
    bare, described = (fit_space(rows, RFM) for rows in (customers, frame))
    np.testing.assert_array_equal(described.points(frame), bare.points(customers))
    assert described.logged(frame).shape[1] == bare.logged(customers).shape[1] + 1
    assert described.dimensions == 3


def test_weights_stretch_the_space(customers: pd.DataFrame) -> None:
    once, twice = (
        fit_space(customers, spec(SpaceColumn("revenue_total", weight=w))) for w in (1.0, 2.0)
    )
    np.testing.assert_allclose(twice.points(customers), 2 * once.points(customers))


def test_principal_components_keep_the_variance_asked_for(customers: pd.DataFrame) -> None:
    full = fit_space(customers, RFM)
    rotated = fit_space(customers, replace(RFM, variance=1.0))
    reduced = fit_space(customers, replace(RFM, variance=0.8))
    points, turned, few = (s.points(customers) for s in (full, rotated, reduced))
    gaps = [np.linalg.norm(p[:50, None] - p[None, :50], axis=2) for p in (points, turned)]
    np.testing.assert_allclose(gaps[1], gaps[0], atol=1e-9)
    assert few.shape[1] < 3
    assert few.var(axis=0).sum() >= 0.8 * points.var(axis=0).sum()


def test_records_are_complete(customers: pd.DataFrame) -> None:
    space = fit_space(customers, replace(RFM, variance=0.9))
    again = SegmentSpace.from_record(space.to_record())
    assert again.to_record() == space.to_record()
    np.testing.assert_array_equal(again.points(customers), space.points(customers))


def test_another_space_sees_the_same_customers(customers: pd.DataFrame) -> None:
    pence = customers.assign(revenue_total=customers["revenue_total"] * 3)
    here, there = fit_space(customers, RFM), fit_space(pence, replace(RFM, scaling="standard"))
    logged = here.logged(customers)
    np.testing.assert_allclose(
        there.located(here.translated(logged, there)), there.points(customers)
    )
    alone = fit_space(customers, spec(SpaceColumn("revenue_total")))
    moved = alone.translated(alone.logged(customers), here)
    np.testing.assert_array_equal(here.located(moved)[:, 0], 0)


def test_even_samples_have_every_size_of_customer() -> None:
    spend = np.sort(np.random.default_rng(0).lognormal(3, 2, 10_000))
    rows = even_rows(len(spend), 500, seed=4)
    assert len(np.unique(rows)) == 500
    deciles = np.bincount(rows // 1_000, minlength=10)
    assert deciles.min() == deciles.max() == 50
    assert even_rows(3, 500).tolist() == [0, 1, 2]


def test_canonical_order_does_not_depend_on_the_order_given() -> None:
    points = np.random.default_rng(0).integers(0, 4, (200, 3)).astype(float)
    shuffled = points[np.random.default_rng(1).permutation(200)]
    np.testing.assert_array_equal(
        points[canonical_order(points, points[:, 2])],
        shuffled[canonical_order(shuffled, shuffled[:, 2])],
    )
