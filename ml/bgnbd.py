"""BG/NBD: how often customers without a contract buy, and when they quietly leave.

A living customer buys as a Poisson process of rate lambda and leaves for good with probability p
after each purchase; lambda ~ Gamma(r, rate alpha) and p ~ Beta(a, b) differ by customer.

Source: Fader, Hardie, Lee (2005), '"Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model', Marketing Science 24(2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import minimize
from scipy.special import betaln, gammaln

Array = npt.NDArray[np.float64]
FEWEST_REPEAT_BUYERS = 20
"""Four parameters from fewer customers are noise."""
STARTS = ((0.0, 0.0, 0.0, 1.0), (-1.0, -1.0, -1.0, 0.0), (0.0, 0.0, -3.0, 1.0))
"""Where the search begins: logs of r, alpha over the mean age, a and b."""
LOG_BOUNDS = (-9.0, 9.0)
NODES = 100
CHUNK_ROWS = 20_000


class NotEnoughRepeatBuyers(ValueError):
    """Too few customers came back to learn a model of repeat purchases from."""


@dataclass(frozen=True)
class BGNBD:
    """A fitted BG/NBD model.

    Customers are arrays of shape (n,): `frequency`, the repeat purchases (every purchase but the
    first, at most one per unit of time); `recency`, the time from the first to the last purchase;
    `age`, the time from the first purchase to now. All times have one unit, that of the fit.

    Attributes
    ----------
    r, alpha : float
        Shape, and rate in units of time, of the purchase rates.
    a, b : float
        Of the Beta distribution of the probability to leave after a purchase.
    """

    r: float
    alpha: float
    a: float
    b: float

    def log_likelihood(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Log-likelihood of each customer, shape (n,)."""
        return _log_likelihood(
            self.r, self.alpha, self.a, self.b, *_checked(frequency, recency, age)
        )

    def probability_alive(
        self, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Probability that a customer has not left, shape (n,).

        Who never came back is alive for certain: in this model nobody leaves before a second
        purchase.
        """
        x, last, now = _checked(frequency, recency, age)
        gone = _log_odds_gone(self.r, self.alpha, self.a, self.b, x, last, now)
        return np.asarray(np.exp(-np.logaddexp(0.0, gone)))

    def expected_purchases(
        self, period: float, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Expected purchases in the next `period`, shape (n,).

        Equation 10 of the paper before its integral is solved: given that the customer is alive,
        lambda ~ Gamma(r + x, alpha + T) and p ~ Beta(a, b + x) are independent, and
        ``(1 - exp(-lambda p t)) / p`` purchases are expected. Averaged over lambda that is
        ``(1 - (1 + p t / (alpha + T))^-(r + x)) / p``, and the mean over p is a Gauss-Jacobi
        sum, right to 6 digits for periods up to 20 times alpha + T. The closed form is 0/0 at
        a = 1, and SciPy loses its hypergeometric function for large a, b or x.
        """
        x, last, now = _checked(frequency, recency, age)
        _check_period(period)
        while_alive = np.empty(len(x))
        for count in np.unique(x):
            p, weight = _beta_nodes(self.a, self.b + count)
            alike = np.flatnonzero(x == count)
            for rows in np.array_split(alike, len(alike) // CHUNK_ROWS + 1):
                reach = np.log1p(np.outer(period / (self.alpha + now[rows]), p))
                while_alive[rows] = -np.expm1(-(self.r + count) * reach) @ (weight / p)
        return while_alive * self.probability_alive(x, last, now)

    def probability_of_purchase(
        self, period: float, frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
    ) -> Array:
        """Probability of at least one purchase in the next `period`, shape (n,).

        Given the history and that the customer is alive, the likelihood of (lambda, p) is
        ``lambda^x exp(-lambda T) (1 - p)^x``, so lambda ~ Gamma(r + x, alpha + T), independent
        of p. The living leave only after a purchase, so the next one comes within t with
        probability ``1 - exp(-lambda t)`` whatever p is. Averaged over lambda:
        ``P(alive) * (1 - ((alpha + T) / (alpha + T + t))^(r + x))``.
        """
        x, last, now = _checked(frequency, recency, age)
        _check_period(period)
        none = (self.r + x) * np.log1p(period / (self.alpha + now))
        return np.asarray(-np.expm1(-none) * self.probability_alive(x, last, now))


def fit_bgnbd(frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike) -> BGNBD:
    """Fit by maximum likelihood.

    Parameters
    ----------
    frequency, recency, age : array-like, shape (n,)
        See `BGNBD`; any unit of time, as long as it is one.

    Returns
    -------
    BGNBD

    Raises
    ------
    ValueError
        Impossible input (not finite, negative, a last purchase after now), or no maximum found.
    NotEnoughRepeatBuyers
    """
    x, last, now = _checked(frequency, recency, age)
    repeat = int((x > 0).sum())
    if repeat < FEWEST_REPEAT_BUYERS:
        raise NotEnoughRepeatBuyers(
            f"BG/NBD: {repeat} of {len(x)} customers bought again; "
            f"at least {FEWEST_REPEAT_BUYERS} are needed"
        )
    unit = float(now.mean())
    columns = (x, last / unit, now / unit)

    def loss(logs: Array) -> float:
        r, alpha, a, b = np.exp(logs)
        return float(-_log_likelihood(r, alpha, a, b, *columns).mean())

    found = [
        minimize(loss, start, method="L-BFGS-B", bounds=[LOG_BOUNDS] * 4, options={"ftol": 1e-12})
        for start in STARTS
    ]
    best = min(found, key=lambda result: float(result.fun))
    if not np.isfinite(best.fun):
        raise ValueError(f"BG/NBD: no maximum of the likelihood found ({best.message})")
    r, alpha, a, b = (float(value) for value in np.exp(best.x))
    return BGNBD(r, alpha * unit, a, b)


def _log_likelihood(
    r: float, alpha: float, a: float, b: float, x: Array, last: Array, now: Array
) -> Array:
    """Equation 6 of the paper in logs: alive since the last purchase, or gone at it."""
    alive = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        - (r + x) * np.log(alpha + now)
        + betaln(a, b + x)
        - betaln(a, b)
    )
    return np.asarray(alive + np.logaddexp(0.0, _log_odds_gone(r, alpha, a, b, x, last, now)))


def _log_odds_gone(
    r: float, alpha: float, a: float, b: float, x: Array, last: Array, now: Array
) -> Array:
    """Log-odds of having left at the last purchase; minus infinity before a second one."""
    again = np.maximum(x, 1.0)
    odds = np.log(a) - np.log(b + again - 1) + (r + x) * np.log((alpha + now) / (alpha + last))
    return np.where(x > 0, odds, -np.inf)


def _beta_nodes(a: float, b: float) -> tuple[Array, Array]:
    """Nodes and weights of Gaussian quadrature for the mean over Beta(a, b), each of (NODES,).

    Golub and Welsch (1969) on the recurrence of the Jacobi polynomials on [0, 1]: the weights
    are squares of eigenvectors, so they sum to 1 without a Beta function that over- or underflows.
    """
    k = np.arange(1, NODES, dtype=float)
    total = 2 * k + a + b - 2
    middle = np.r_[a / (a + b), (1 + (a - b) * (a + b - 2) / (total * (total + 2))) / 2]
    first = a * b / ((a + b) ** 2 * (a + b + 1))
    k, total = k[1:], total[1:]
    others = k * (k + a - 1) * (k + b - 1) * (k + a + b - 2) / ((total**2 - 1) * total**2)
    nodes, vectors = eigh_tridiagonal(middle, np.sqrt(np.r_[first, others]))
    return np.clip(nodes, np.finfo(float).tiny, 1.0), vectors[0] ** 2


def _checked(
    frequency: npt.ArrayLike, recency: npt.ArrayLike, age: npt.ArrayLike
) -> tuple[Array, Array, Array]:
    x, last, now = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (frequency, recency, age))
    if not x.shape == last.shape == now.shape or x.ndim != 1:
        raise ValueError(
            "frequency, recency and age must be vectors of one length "
            f"(have {x.shape}, {last.shape}, {now.shape})"
        )
    impossible = {
        "not finite": ~(np.isfinite(x) & np.isfinite(last) & np.isfinite(now)),
        "a negative frequency, recency or age": (x < 0) | (last < 0) | (now < 0),
        "a recency above the age (last purchase after now)": last > now,
        "no repeat purchase but a recency above 0": (x == 0) & (last > 0),
        "repeat purchases but a recency of 0": (x > 0) & (last == 0),
    }
    for problem, rows in impossible.items():
        if rows.any():
            raise ValueError(f"{int(rows.sum())} of {len(x)} customers have {problem}")
    return x, last, now


def _check_period(period: float) -> None:
    if not (np.isfinite(period) and period >= 0):
        raise ValueError(f"the period must be finite and at least 0, not {period}")
