"""The threshold of the cost table is the best one when probabilities are right."""

from __future__ import annotations

import numpy as np
import pytest

from ml.profit import CostTable, decide, profit_curve

COSTS = CostTable(contact_cost=2.0, value_kept=40.0, save_rate=0.25)
RNG = np.random.default_rng(0)
PROBABILITY = RNG.beta(1, 3, 20_000)
LABEL = (RNG.random(20_000) < PROBABILITY).astype(float)


def test_threshold_is_where_a_contact_just_pays() -> None:
    assert COSTS.threshold == pytest.approx(0.2)
    assert COSTS.profit(COSTS.threshold) == pytest.approx(0)
    assert COSTS.profit([0.1, 0.5]) == pytest.approx([-1.0, 3.0])


def test_expected_profit_peaks_at_the_threshold() -> None:
    curve = profit_curve(LABEL, PROBABILITY, COSTS)
    peak = curve.loc[curve["expected"].idxmax()]
    assert peak["probability"] == pytest.approx(COSTS.threshold, abs=0.01)
    assert peak["share"] == pytest.approx((PROBABILITY > 0.2).mean(), abs=0.01)


def test_calibrated_probabilities_keep_what_they_promise() -> None:
    found = decide(LABEL, PROBABILITY, COSTS)
    assert found.low < found.expected < found.high
    assert found.low < found.realised < found.high
    assert found.realised > found.everyone
    assert found.realised >= 0.98 * found.best


def test_probabilities_that_are_too_high_promise_too_much_and_bring_less() -> None:
    right = decide(LABEL, PROBABILITY, COSTS)
    wrong = decide(LABEL, PROBABILITY**0.3, COSTS)
    assert wrong.expected > 1.5 * wrong.realised
    assert wrong.realised < right.realised


def test_curve_starts_at_nothing_and_ends_with_everyone() -> None:
    curve = profit_curve(LABEL, PROBABILITY, COSTS, points=50)
    assert len(curve) == 51
    assert curve.iloc[0][["contacted", "share", "expected", "realised"]].tolist() == [0, 0, 0, 0]
    assert curve.iloc[-1]["share"] == 1
    assert curve.iloc[-1]["realised"] == pytest.approx(COSTS.profit(LABEL).sum())
    assert (np.diff(curve["probability"]) <= 0).all()
    few = profit_curve(LABEL[:3], PROBABILITY[:3], COSTS)
    assert few["contacted"].tolist() == [0, 1, 2, 3]


def test_a_contact_that_never_pays_is_not_made_and_a_free_one_always() -> None:
    dear = decide(LABEL, PROBABILITY, CostTable(50.0, 40.0, 0.25))
    assert (dear.contacted, dear.expected, dear.realised, dear.best) == (0, 0, 0, 0)
    free = decide(LABEL, PROBABILITY, CostTable(0.0, 40.0, 0.25))
    assert free.share == 1
    assert free.realised == free.everyone == free.best


def test_costs_and_probabilities_without_meaning_are_refused() -> None:
    with pytest.raises(ValueError, match="save_rate must be above 0"):
        CostTable(1.0, 10.0, 0.0)
    with pytest.raises(ValueError, match="value_kept"):
        CostTable(1.0, -10.0, 0.5)
    with pytest.raises(ValueError, match="contact_cost"):
        CostTable(float("nan"), 10.0, 0.5)
    with pytest.raises(ValueError, match="from 0 to 1"):
        decide([0, 1], [0.5, 1.5], COSTS)
