"""Public tables of customers segment through the same code, and the laws hold on them too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.segment_quality import rand_index
from ml.segments import Protocol, SegmentModel, SpaceSpec, fit_segments, plain_space

DATA = Path(__file__).parents[3] / "shared/data/tabular"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")

COLUMNS = {
    "wholesale_customers": ("Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"),
    "marketing_campaign": (
        *("Income", "Recency", "MntWines", "MntMeatProducts", "MntSweetProducts", "MntGoldProds"),
        *("NumDealsPurchases", "NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"),
        "NumWebVisitsMonth",
    ),
}
FAST = Protocol(
    families=("kmeans", "mixture", "ward"),
    k_range=(3, 4, 5),
    bootstraps=1,
    finalists=1,
    smallest_share=0.01,
)


@pytest.fixture(scope="module", params=COLUMNS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def table(name: str) -> pd.DataFrame:
    return pd.read_parquet(DATA / f"{name}.parquet")


@pytest.fixture(scope="module")
def space(name: str) -> SpaceSpec:
    return plain_space(name, COLUMNS[name])


@pytest.fixture(scope="module")
def model(table: pd.DataFrame, space: SpaceSpec) -> SegmentModel:
    return fit_segments(table, space, FAST)


def groups(model: SegmentModel, table: pd.DataFrame) -> np.ndarray:
    return model.assign(table)["segment_id"].to_numpy()


def test_everybody_has_a_segment_with_a_name_of_its_own(
    model: SegmentModel, table: pd.DataFrame
) -> None:
    assigned = model.assign(table)
    assert set(assigned["segment_id"]) == set(model.ids)
    assert assigned.groupby("segment_id")["segment_name"].nunique().eq(1).all()
    assert assigned["segment_name"].nunique() == model.k
    assert set(model.selection["family"]) == set(FAST.families)


def test_order_of_rows_and_columns_does_not_matter(
    model: SegmentModel, table: pd.DataFrame, space: SpaceSpec
) -> None:
    shuffled = table.sample(frac=1, random_state=3)[table.columns[::-1]]
    turned = plain_space(space.name, [c.name for c in reversed(space.columns)])
    again = fit_segments(shuffled, turned, FAST)
    np.testing.assert_array_equal(again.centroids, model.centroids)
    np.testing.assert_array_equal(groups(again, table), groups(model, table))


def test_units_do_not_matter(model: SegmentModel, table: pd.DataFrame, space: SpaceSpec) -> None:
    factors = dict(zip(COLUMNS[space.name], (100, 0.001, 7, 12, 1 / 3), strict=False))
    other = table.assign(**{column: table[column] * f for column, f in factors.items()})
    again = fit_segments(other, space, FAST)
    np.testing.assert_allclose(again.centroids, model.centroids, rtol=1e-6)
    np.testing.assert_array_equal(groups(again, other), groups(model, table))
    assert rand_index(groups(model, table), groups(model, other)) < 0.9


def test_duplicated_rows_hardly_move_the_centroids(table: pd.DataFrame, space: SpaceSpec) -> None:
    protocol = Protocol(families=("kmeans",), k_range=(4,), bootstraps=1, smallest_share=0)
    once, twice = (
        fit_segments(rows, space, protocol) for rows in (table, pd.concat([table, table]))
    )
    moved = np.abs(twice.centroids - once.centroids) / once.space.deviation
    assert moved.max() < 0.03
    assert rand_index(groups(once, table), groups(twice, table)) > 0.98


def test_a_column_that_says_nothing_is_left_out(table: pd.DataFrame, space: SpaceSpec) -> None:
    protocol = Protocol(families=("kmeans",), k_range=(4,), bootstraps=1, smallest_share=0)
    names = [*COLUMNS[space.name], "same"]
    wide = fit_segments(table.assign(same=11), plain_space(space.name, names), protocol)
    assert wide.space.notices == ("same: left out, 11 for every customer",)
    bare = fit_segments(table, space, protocol)
    np.testing.assert_array_equal(wide.centroids, bare.centroids)
