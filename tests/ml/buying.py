"""Customers simulated from the stories behind BG/NBD and Gamma-Gamma, purchase by purchase."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def purchase_times(
    rng: np.random.Generator, rate: float, leave: float, until: float
) -> list[float]:
    """Times of repeat purchases; the customer may leave for good after each."""
    times: list[float] = []
    now = rng.exponential(1 / rate)
    while now < until:
        times.append(now)
        if rng.random() < leave:
            break
        now += rng.exponential(1 / rate)
    return times


def customers(
    n: int, r: float, alpha: float, a: float, b: float, period: float, seed: int = 0
) -> tuple[Array, Array, Array, Array]:
    """Frequency, recency, age (20 to 60) and purchases in the period after, each of shape (n,)."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 60, n)
    rates, leaves = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    table = np.zeros((3, n))
    for i in range(n):
        times = np.array(purchase_times(rng, rates[i], leaves[i], age[i] + period))
        past = times[times <= age[i]]
        table[:, i] = len(past), past.max(initial=0.0), len(times) - len(past)
    return table[0], table[1], age, table[2]


def spenders(n: int, p: float, q: float, gamma: float, seed: int = 0) -> tuple[Array, Array, Array]:
    """Purchases (1 to 8), observed mean spend and true mean spend, each of shape (n,)."""
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 9, n).astype(float)
    nu = rng.gamma(q, 1 / gamma, n)
    return count, rng.gamma(p * count, 1 / nu) / count, p / nu
