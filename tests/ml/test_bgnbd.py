"""Laws of BG/NBD and Gamma-Gamma, and what their authors and a notebook found on CDNOW."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from buying import customers, purchase_times, spenders
from scipy.integrate import quad
from scipy.special import hyp2f1

from ml.bgnbd import BGNBD, NotEnoughRepeatBuyers, fit_bgnbd
from ml.gamma_gamma import GammaGamma, fit_gamma_gamma

CDNOW = Path(__file__).parents[3] / "shared/data/cdnow"
with_cdnow = pytest.mark.skipif(not CDNOW.exists(), reason=f"no {CDNOW}")
PUBLISHED = BGNBD(0.243, 4.414, 0.793, 2.426)
TRUE = BGNBD(0.8, 6.0, 0.7, 2.5)


@with_cdnow
def test_published_parameters_on_the_cdnow_sample() -> None:
    sample = pd.read_parquet(CDNOW / "cdnow_summary_x_tx_T.parquet")
    counts = (sample["frequency"], sample["recency"], sample["T"])
    model = fit_bgnbd(*counts)
    found = (model.r, model.alpha, model.a, model.b)
    assert found == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert model.log_likelihood(*counts).sum() == pytest.approx(-9582.4, abs=0.1)


@with_cdnow
def test_published_spend_on_the_cdnow_sample() -> None:
    lines = pd.read_parquet(CDNOW / "cdnow_sample.parquet")
    days = lines[lines["date"] <= "1997-09-30"].groupby(["customer_id", "date"])["amount"].sum()
    table = days.reset_index()
    later = table[table["date"] > table.groupby("customer_id")["date"].transform("min")]
    spend = later.groupby("customer_id")["amount"].agg(["size", "mean"]).query("mean > 0")
    model = fit_gamma_gamma(spend["size"], spend["mean"])
    assert len(spend) == 946
    assert (model.p, model.q, model.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)


@with_cdnow
def test_cdnow_holdout_reaches_the_notebook() -> None:
    lines = pd.read_parquet(CDNOW / "cdnow_master.parquet").drop_duplicates(["customer_id", "date"])
    cutoff = pd.Timestamp("1997-09-30")
    past = lines[lines["date"] <= cutoff].groupby("customer_id")["date"].agg(["min", "max", "size"])
    ahead = lines[(lines["date"] > cutoff) & (lines["date"] <= cutoff + pd.Timedelta(weeks=39))]
    actual = ahead.groupby("customer_id").size().reindex(past.index, fill_value=0).to_numpy()
    counts = (
        past["size"] - 1,
        (past["max"] - past["min"]).dt.days,
        (cutoff - past["min"]).dt.days,
    )
    expected = fit_bgnbd(*counts).expected_purchases(39 * 7, *counts)
    assert len(expected) == 23_570
    assert np.abs(expected - actual).mean() < 0.8195
    assert np.sqrt(((expected - actual) ** 2).mean()) < 1.7335
    assert np.corrcoef(expected, actual)[0, 1] > 0.6685
    assert expected.sum() / actual.sum() == pytest.approx(0.857, abs=0.001)


def test_parameters_of_a_simulated_market_are_found_again() -> None:
    x, last, age, _ = customers(12_000, TRUE.r, TRUE.alpha, TRUE.a, TRUE.b, 0.0)
    model = fit_bgnbd(x, last, age)
    assert model.r == pytest.approx(TRUE.r, rel=0.1)
    assert model.alpha == pytest.approx(TRUE.alpha, rel=0.1)
    assert model.a / (model.a + model.b) == pytest.approx(0.7 / 3.2, rel=0.1)


def test_forecasts_are_right_on_average_wherever_they_say_so() -> None:
    x, last, age, after = customers(20_000, TRUE.r, TRUE.alpha, TRUE.a, TRUE.b, 15.0, seed=1)
    for forecast, truth in (
        (TRUE.expected_purchases(15, x, last, age), after),
        (TRUE.probability_of_purchase(15, x, last, age), after > 0),
    ):
        order = np.argsort(forecast)
        for part in np.array_split(order, 8):
            gap = truth[part].mean() - forecast[part].mean()
            assert abs(gap) < 4 * truth[part].std() / np.sqrt(len(part))


def test_probability_of_a_purchase_given_one_history() -> None:
    """Rejection sampling: keep simulated customers with this very history, watch what follows.

    Whoever is alive buys some day, so the long run shows who was.
    """
    rng = np.random.default_rng(2)
    model = BGNBD(2.0, 4.0, 1.0, 3.0)
    soon, ever = [], []
    while len(ever) < 1500:
        rate, leave = rng.gamma(2.0, 1 / 4.0), rng.beta(1.0, 3.0)
        times = purchase_times(rng, rate, leave, 10_000.0)
        past = [time for time in times if time <= 5]
        if len(past) == 2 and abs(past[-1] - 3) < 0.25:
            soon.append(len(times) > 2 and times[2] <= 10)
            ever.append(len(times) > 2)
    said = model.probability_of_purchase(5, [2], [3], [5])[0]
    assert said == pytest.approx(np.mean(soon), abs=0.04)
    assert model.probability_alive([2], [3], [5])[0] == pytest.approx(np.mean(ever), abs=0.04)


def test_the_unit_of_time_does_not_matter() -> None:
    x, last, age, _ = customers(1_500, TRUE.r, TRUE.alpha, TRUE.a, TRUE.b, 0.0)
    weeks, days = fit_bgnbd(x, last, age), fit_bgnbd(x, last * 7, age * 7)
    assert days.alpha == pytest.approx(7 * weeks.alpha, rel=1e-3)
    np.testing.assert_allclose(
        days.expected_purchases(70, x, last * 7, age * 7),
        weeks.expected_purchases(10, x, last, age),
        rtol=1e-3,
    )


def test_who_bought_lately_is_more_alive_and_buys_more() -> None:
    last = np.linspace(1, 50, 40)
    for forecast in (
        PUBLISHED.probability_alive(4 + 0 * last, last, 50 + 0 * last),
        PUBLISHED.expected_purchases(10, 4 + 0 * last, last, 50 + 0 * last),
        PUBLISHED.probability_of_purchase(10, 4 + 0 * last, last, 50 + 0 * last),
    ):
        assert (np.diff(forecast) > 0).all()


def test_a_frequent_buyer_who_fell_silent_is_given_up_sooner() -> None:
    x = np.array([1.0, 5.0, 20.0])
    silent = PUBLISHED.probability_alive(x, 20 + 0 * x, 50 + 0 * x)
    assert (np.diff(silent) < 0).all()


def test_forecasts_grow_with_the_period_within_their_bounds() -> None:
    counts = ([0, 2, 30], [0, 20, 49], [50, 50, 50])
    alive = PUBLISHED.probability_alive(*counts)
    buys = np.array([PUBLISHED.probability_of_purchase(t, *counts) for t in (0, 1, 10, 1e6)])
    mean = np.array([PUBLISHED.expected_purchases(t, *counts) for t in (0, 1, 10, 200)])
    assert (buys[0] == 0).all()
    assert (mean[0] == 0).all()
    assert (np.diff(buys, axis=0) > 0).all()
    assert (np.diff(mean, axis=0) > 0).all()
    assert (buys <= alive).all()
    assert alive[0] == 1
    assert (mean[1:3] >= buys[1:3]).all()


def test_expected_purchases_equal_the_published_closed_form() -> None:
    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    for x, last, age in ((0, 0, 39), (2, 30.43, 38.86), (12, 38.0, 38.86)):
        z = 39 / (alpha + age + 39)
        series = hyp2f1(r + x, b + x, a + b + x - 1, z)
        top = (
            (a + b + x - 1)
            / (a - 1)
            * (1 - ((alpha + age) / (alpha + age + 39)) ** (r + x) * series)
        )
        odds = a / (b + x - 1) * ((alpha + age) / (alpha + last)) ** (r + x) if x else 0
        got = PUBLISHED.expected_purchases(39, [x], [last], [age])[0]
        assert got == pytest.approx(top / (1 + odds), rel=1e-8)


@pytest.mark.parametrize("a", [0.05, 1.0, 40.0, 3000.0])
@pytest.mark.parametrize("x", [0, 3, 900])
def test_expected_purchases_of_extreme_customers(a: float, x: int) -> None:
    """Against the integral over time of the purchase rate, by another route."""
    model = BGNBD(0.4, 20.0, a, 30.0)
    last, age = 95.0 * (x > 0), 100.0

    def rate(t: float) -> float:
        """Purchases per day t days on: E[lambda exp(-lambda p t)] given alive, over p."""
        u = t / (model.alpha + age)
        scale = (model.r + x) / (model.alpha + age)
        return float(scale * hyp2f1_mean(model.r + x + 1, a, model.b + x, u))

    while_alive = quad(rate, 0, 60, epsrel=1e-9)[0]
    alive = model.probability_alive([x], [last], [age])[0]
    got = model.expected_purchases(60, [x], [last], [age])[0]
    assert got == pytest.approx(while_alive * alive, rel=1e-5)


def hyp2f1_mean(s: float, a: float, b: float, u: float) -> float:
    """E[(1 + p u)^-s] for p ~ Beta(a, b), by a fine sum over the quantiles of p."""
    from scipy.stats import beta

    q = (np.arange(2000) + 0.5) / 2000
    return float(np.mean((1 + beta.ppf(q, a, b) * u) ** -s))


@pytest.mark.parametrize(
    ("x", "last", "age", "message"),
    [
        ([1], [11], [10], "1 of 1 customers have a recency above the age"),
        ([-1], [0], [10], "a negative frequency"),
        ([1], [-2], [10], "a negative frequency, recency or age"),
        ([0], [3], [10], "no repeat purchase but a recency above 0"),
        ([2], [0], [10], "repeat purchases but a recency of 0"),
        ([1], [np.nan], [10], "not finite"),
        ([1, 2], [3], [10], "one length"),
    ],
)
def test_impossible_customers_are_refused(
    x: list[float], last: list[float], age: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_bgnbd(x, last, age)
    with pytest.raises(ValueError, match=message):
        PUBLISHED.probability_alive(x, last, age)


def test_a_period_before_now_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0, not -1"):
        PUBLISHED.expected_purchases(-1, [0], [0], [10])


def test_too_few_repeat_buyers_are_refused_and_enough_are_not() -> None:
    x = np.r_[np.ones(19), np.zeros(100)]
    with pytest.raises(NotEnoughRepeatBuyers, match="19 of 119 customers bought again"):
        fit_bgnbd(x, 5 * x, x * 0 + 30)
    x[20] = 1
    assert fit_bgnbd(x, 5 * x, x * 0 + 30).r > 0


def test_a_market_where_nobody_leaves_has_no_leavers() -> None:
    rng = np.random.default_rng(3)
    rate, age = rng.gamma(2.0, 0.1, 3_000), np.full(3_000, 50.0)
    x = rng.poisson(rate * age).astype(float)
    last = np.where(x > 0, age * rng.random(3_000) ** (1 / np.maximum(x, 1)), 0.0)
    model = fit_bgnbd(x, last, age)
    assert model.probability_alive(x, last, age).mean() > 0.98


def test_spend_parameters_are_found_again_and_forecasts_are_right() -> None:
    count, mean, truth = spenders(20_000, 4.0, 3.5, 20.0)
    model = fit_gamma_gamma(count, mean)
    assert (model.p, model.q, model.gamma) == pytest.approx((4.0, 3.5, 20.0), rel=0.1)
    expected = GammaGamma(4.0, 3.5, 20.0).expected_spend(count, mean)
    for part in np.array_split(np.argsort(expected), 8):
        gap = truth[part].mean() - expected[part].mean()
        assert abs(gap) < 4 * truth[part].std() / np.sqrt(len(part))


def test_spend_lies_between_ones_own_mean_and_that_of_all() -> None:
    model = GammaGamma(4.0, 3.5, 20.0)
    few, many = model.expected_spend([1, 50], [100, 100])
    assert model.population_mean < few < many < 100
    assert model.population_mean == pytest.approx(32)


def test_the_unit_of_money_does_not_matter() -> None:
    count, mean, _ = spenders(2_000, 4.0, 3.5, 20.0)
    pounds = fit_gamma_gamma(count, mean).expected_spend(count, mean)
    pence = fit_gamma_gamma(count, mean * 100).expected_spend(count, mean * 100)
    np.testing.assert_allclose(pence, 100 * pounds, rtol=1e-3)


@pytest.mark.parametrize(
    ("count", "mean", "message"),
    [
        ([0], [3], "1 of 1 customers have no purchase"),
        ([1], [0], "a mean spend that is not above 0"),
        ([1], [np.inf], "not finite"),
        ([1, 1], [3], "one length"),
        ([1] * 30 + [2] * 19, [3] * 49, "19 of 49 customers have two purchases or more"),
    ],
)
def test_impossible_spend_is_refused(count: list[float], mean: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit_gamma_gamma(count, mean)
