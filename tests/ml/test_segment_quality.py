"""Figures of quality are those of scikit-learn, and mean what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted import noise, planted
from sklearn.metrics import adjusted_rand_score, silhouette_samples

from ml.segment_families import FAMILIES
from ml.segment_quality import (
    calinski_harabasz,
    davies_bouldin,
    distance_matrix,
    rand_index,
    silhouettes,
    usefulness,
)
from ml.segment_sample import canonical_order
from ml.segment_space import fit_space
from ml.segment_spaces import RFM
from ml.segment_stability import LEAST_CUSTOMERS, bootstrap_stability, compare_months

KMEANS = FAMILIES["kmeans"]


def test_silhouettes_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    points, groups = rng.normal(size=(300, 4)), rng.integers(0, 5, 300)
    groups[0] = 5  # alone in its group
    found = silhouettes(distance_matrix(points), groups)
    np.testing.assert_allclose(found, silhouette_samples(points, groups), atol=1e-5)
    assert found[0] == 0


def test_one_group_has_no_silhouette_nor_index() -> None:
    points, same = np.random.default_rng(0).normal(size=(20, 2)), np.zeros(20, dtype=np.int64)
    assert (silhouettes(distance_matrix(points), same) == 0).all()
    assert np.isnan(davies_bouldin(points, same))
    assert np.isnan(calinski_harabasz(points, same))


@pytest.mark.parametrize("seed", range(4))
def test_rand_index_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 5, 200), rng.integers(2, 9, 200)
    other[:100] = one[:100]
    assert rand_index(one, other) == pytest.approx(adjusted_rand_score(one, other))
    assert rand_index(one, one * 3 + 1) == 1
    assert rand_index(one, rng.permutation(one)) == pytest.approx(0, abs=0.05)


def test_groups_that_know_the_future_are_useful_and_random_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 4, 2_000)
    spend = rng.lognormal(groups.astype(float), 0.3)
    churned = (rng.uniform(size=2_000) < groups / 4).astype(float)
    known = usefulness(groups, spend, churned)
    blind = usefulness(rng.permutation(groups), spend, churned)
    assert known.spend > 0.8
    assert known.churn > 0.1
    assert abs(blind.spend) < 0.01
    assert abs(blind.churn) < 0.01
    assert known.mean == pytest.approx((known.spend + known.churn) / 2)


def test_usefulness_has_no_unit_and_punishes_needless_groups() -> None:
    rng = np.random.default_rng(0)
    spend = rng.lognormal(3, 1, 500)
    groups = (spend > 20).astype(np.int64)
    pence = usefulness(groups, spend * 100, None)
    assert pence.spend == pytest.approx(usefulness(groups, spend, None).spend)
    assert np.isnan(pence.churn)
    assert pence.mean == pence.spend
    needless = groups + 2 * rng.integers(0, 60, 500)
    assert usefulness(needless, spend, None).spend < pence.spend


def test_stability_is_high_for_planted_groups_and_low_for_noise() -> None:
    frames = planted(), noise()
    points = [fit_space(frame, RFM).points(frame) for frame in frames]
    points = [rows[canonical_order(rows)] for rows in points]
    assert bootstrap_stability(KMEANS, [4], points[0], seed=0, rounds=5)[4] > 0.98
    assert bootstrap_stability(KMEANS, [7], points[1], seed=0, rounds=5)[7] < 0.75
    assert np.isnan(bootstrap_stability(FAMILIES["hdbscan"], [0.4], points[1], 0, 2)[0.4])


def month_stability(now: pd.DataFrame, earlier: pd.DataFrame) -> float:
    space = fit_space(now, RFM)
    points = space.points(now)
    months = compare_months(now, earlier, space)
    assert months is not None
    return months.stability(KMEANS, KMEANS.fit(points, [4], 0), seed=0)[4]


def test_months_that_are_alike_are_stable_and_a_month_of_change_is_not() -> None:
    now = planted()
    before = planted(seed=5).assign(revenue_total=lambda rows: rows["revenue_total"] * 0.97)
    assert month_stability(now, before) > 0.98
    assert month_stability(now, noise()) < 0.75


def test_a_month_with_too_few_customers_is_not_compared() -> None:
    now = planted()
    space = fit_space(now, RFM)
    assert compare_months(now, now.head(LEAST_CUSTOMERS - 1), space) is None
    nobody_yet = now.assign(order_days_total=np.nan)
    assert compare_months(now, nobody_yet, space) is None
