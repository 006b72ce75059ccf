"""Fast evaluation of small trees, against LightGBM itself."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.forest import CHUNK_ROWS, MOST_LEAVES, Forest, NotSmall


def booster(matrix: np.ndarray, leaves: int = 7, **more: object) -> lgb.Booster:
    """A few trees about a label that leans on two features and on a null."""
    rng = np.random.default_rng(3)
    signal = np.nan_to_num(matrix[:, 0], nan=2.0) + matrix[:, 1] ** 2
    parameters = {
        "objective": "regression",
        "num_leaves": leaves,
        "min_data_in_leaf": 5,
        "num_threads": 1,
        "verbosity": -1,
        **more,
    }
    noisy = signal + rng.normal(0, 0.1, len(matrix))
    return lgb.train(parameters, lgb.Dataset(matrix, noisy), 20)


def features(rows: int, seed: int = 0) -> np.ndarray:
    """Continuous, whole and sparse columns; only the first and the last have nulls."""
    rng = np.random.default_rng(seed)
    matrix = np.column_stack(
        [
            rng.normal(size=rows),
            rng.normal(size=rows),
            rng.poisson(0.4, rows),
            rng.normal(size=rows),
        ]
    )
    matrix[rng.random(rows) < 0.2, 0] = np.nan
    matrix[rng.random(rows) < 0.9, 3] = np.nan
    return matrix


@given(st.integers(2, MOST_LEAVES), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_scores_are_lightgbms_to_the_last_bit(leaves: int, seed: int) -> None:
    learnt = booster(features(600, seed), leaves)
    unseen = features(300, seed + 1)
    unseen[::7, 1] = np.nan  # no null in training: LightGBM takes it for 0
    expected = learnt.predict(unseen, raw_score=True, num_threads=1)
    np.testing.assert_array_equal(Forest.parse(learnt.model_to_string()).raw(unseen), expected)


@given(st.integers(2, MOST_LEAVES), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_shares_of_the_features_are_lightgbms(leaves: int, seed: int) -> None:
    learnt = booster(features(600, seed), leaves)
    unseen = features(300, seed + 1)
    unseen[::7, 1] = np.nan
    expected = learnt.predict(unseen, pred_contrib=True, num_threads=1)
    found = Forest.parse(learnt.model_to_string()).contributions(unseen)
    np.testing.assert_allclose(found, expected[:, :-1], rtol=1e-9, atol=1e-12)


def test_shares_add_up_to_the_score_in_every_chunk() -> None:
    learnt = booster(features(600))
    forest = Forest.parse(learnt.model_to_string())
    rows = features(CHUNK_ROWS + 50)
    rest = forest.raw(rows) - forest.contributions(rows).sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], rtol=1e-9)


def test_a_tree_without_splits_says_nothing_of_the_features() -> None:
    matrix = np.ones((40, 2))
    learnt = booster(matrix)
    forest = Forest.parse(learnt.model_to_string())
    np.testing.assert_array_equal(forest.contributions(matrix), np.zeros((40, 2)))
    np.testing.assert_array_equal(forest.raw(matrix), learnt.predict(matrix, raw_score=True))


def test_thresholds_themselves_go_left() -> None:
    learnt = booster(features(600))
    forest = Forest.parse(learnt.model_to_string())
    rows = []
    for tree in forest.trees:
        for split in tree.splits:
            for value in (split.threshold, np.nextafter(split.threshold, np.inf)):
                row = np.zeros(4)
                row[split.feature] = value
                rows.append(row)
    matrix = np.array(rows)
    np.testing.assert_array_equal(forest.raw(matrix), learnt.predict(matrix, raw_score=True))


def test_rows_are_scored_alike_alone_and_among_more_than_a_chunk() -> None:
    forest = Forest.parse(booster(features(600)).model_to_string())
    many = features(CHUNK_ROWS + 3)
    together = forest.raw(many)
    np.testing.assert_array_equal(together[-4:], forest.raw(many[-4:]))
    assert forest.raw(many[:0]).shape == (0,)
    assert np.ptp(together) > 0


def test_a_tree_without_a_split_is_a_constant() -> None:
    learnt = lgb.train(
        {"objective": "regression", "verbosity": -1, "num_threads": 1},
        lgb.Dataset(np.zeros((50, 2)), np.arange(50.0)),
        3,
    )
    scores = Forest.parse(learnt.model_to_string()).raw(np.zeros((5, 2)))
    np.testing.assert_array_equal(scores, learnt.predict(np.zeros((5, 2)), raw_score=True))


@pytest.mark.parametrize(
    ("leaves", "more"), [(MOST_LEAVES + 1, {}), (7, {"zero_as_missing": True})]
)
def test_trees_that_do_not_fit_are_refused(leaves: int, more: dict[str, object]) -> None:
    learnt = booster(features(600), leaves, **more)
    with pytest.raises(NotSmall):
        Forest.parse(learnt.model_to_string())
