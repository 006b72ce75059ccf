"""The linear part: what it makes of more rows than it learns from, and of rows in any number."""

from __future__ import annotations

import numpy as np
import pytest

from ml import linear


def rows(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features with nulls and a long tail, labels, and values with zeros."""
    rng = np.random.default_rng(5)
    matrix = np.column_stack(
        [rng.normal(size=count), rng.lognormal(size=count), rng.normal(size=count)]
    )
    matrix[rng.random(count) < 0.2, 2] = np.nan
    odds = matrix[:, 0] - 0.7 * np.log1p(matrix[:, 1]) + np.isnan(matrix[:, 2])
    label = (rng.random(count) < 1 / (1 + np.exp(-odds))).astype(float)
    return matrix, label, label * rng.gamma(2.0, np.exp(0.3 * matrix[:, 0]))


@pytest.mark.parametrize("kind", ["logistic", "tweedie"])
@pytest.mark.parametrize("penalty", [0.001, 0.1])
def test_some_rows_give_the_model_of_all_under_the_same_penalty(
    kind: str, penalty: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix, label, value = rows(40_000)
    fit = linear.fit_logistic if kind == "logistic" else linear.fit_tweedie
    target = label if kind == "logistic" else value
    whole = fit(matrix, target, penalty)
    monkeypatch.setattr(linear, "MOST_ROWS", 10_000)
    some = fit(matrix, target, penalty)
    assert some.to_dict() == fit(matrix, target, penalty).to_dict()
    assert some.to_dict() != whole.to_dict()
    np.testing.assert_allclose(some.raw(matrix), whole.raw(matrix), atol=0.25)
    assert np.abs(some.raw(matrix) - whole.raw(matrix)).mean() < 0.06


def test_rows_are_scored_alike_alone_and_among_more_than_a_chunk() -> None:
    matrix, label, _ = rows(linear.CHUNK_ROWS + 5)
    model = linear.fit_logistic(matrix, label, 1.0)
    together = model.raw(matrix)
    np.testing.assert_allclose(model.raw(matrix[-7:]), together[-7:], rtol=1e-12)
    shares = model.contributions(matrix)
    np.testing.assert_allclose(shares.sum(axis=1) + model.intercept, together, atol=1e-9)
