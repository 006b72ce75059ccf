"""Gamma-Gamma: what a customer spends per purchase, drawn towards what all customers spend.

Purchases of a customer are Gamma(p, rate nu) around a mean of their own; nu ~ Gamma(q, rate gamma)
differs by customer. Spend and frequency are taken to be independent.

Source: Fader, Hardie (2013), "The Gamma-Gamma Model of Monetary Value".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaln

from ml.bgnbd import NotEnoughRepeatBuyers

Array = npt.NDArray[np.float64]
FEWEST_BUYERS = 20
"""Fewest customers with two purchases or more: without them p and q cannot be told apart."""
START = (1.0, 1.0, 0.0)
"""Where the search begins: logs of p, q - 1 and gamma over the mean spend."""
LOG_BOUNDS = (-9.0, 9.0)


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model.

    Attributes
    ----------
    p : float
        Shape of a customer's purchases: the larger, the more alike they are.
    q : float
        Shape of the spread between customers, above 1.
    gamma : float
        Its rate, in the unit of money.
    """

    p: float
    q: float
    gamma: float

    @property
    def population_mean(self) -> float:
        """Expected spend per purchase of a customer of whom nothing is known."""
        return self.p * self.gamma / (self.q - 1)

    def log_likelihood(self, purchases: npt.ArrayLike, mean_spend: npt.ArrayLike) -> Array:
        """Log-density of each customer's mean spend, shape (n,)."""
        return _log_likelihood(self.p, self.q, self.gamma, *_checked(purchases, mean_spend))

    def expected_spend(self, purchases: npt.ArrayLike, mean_spend: npt.ArrayLike) -> Array:
        """Expected spend per purchase, shape (n,).

        A weighted mean of the customer's own mean and `population_mean`; the weight of the own
        mean grows with the number of purchases.

        Parameters
        ----------
        purchases : array-like, shape (n,)
            Purchases that the mean was taken over.
        mean_spend : array-like, shape (n,)
            Mean spend per purchase, above 0.
        """
        x, z = _checked(purchases, mean_spend)
        return np.asarray(self.p * (self.gamma + x * z) / (self.p * x + self.q - 1))


def fit_gamma_gamma(purchases: npt.ArrayLike, mean_spend: npt.ArrayLike) -> GammaGamma:
    """Fit by maximum likelihood, with q above 1 so that the expected spend exists.

    Parameters
    ----------
    purchases, mean_spend : array-like, shape (n,)
        See `GammaGamma.expected_spend`.

    Returns
    -------
    GammaGamma

    Raises
    ------
    ValueError
        Impossible input (not finite, no purchase, spend not above 0), or no maximum found.
    NotEnoughRepeatBuyers
    """
    x, z = _checked(purchases, mean_spend)
    repeat = int((x > 1).sum())
    if repeat < FEWEST_BUYERS:
        raise NotEnoughRepeatBuyers(
            f"Gamma-Gamma: {repeat} of {len(x)} customers have two purchases or more; "
            f"at least {FEWEST_BUYERS} are needed"
        )
    unit = float(z.mean())
    scaled = z / unit

    def loss(logs: Array) -> float:
        p, q_above_one, gamma = np.exp(logs)
        return float(-_log_likelihood(p, 1 + q_above_one, gamma, x, scaled).mean())

    found = minimize(loss, START, method="L-BFGS-B", bounds=[LOG_BOUNDS] * 3)
    if not np.isfinite(found.fun):
        raise ValueError(f"Gamma-Gamma: no maximum of the likelihood found ({found.message})")
    p, q_above_one, gamma = (float(value) for value in np.exp(found.x))
    return GammaGamma(p, 1 + q_above_one, gamma * unit)


def _log_likelihood(p: float, q: float, gamma: float, x: Array, z: Array) -> Array:
    """Equation 1a of the note in logs."""
    total = np.log(gamma + x * z)
    return np.asarray(
        -np.log(z)
        - betaln(p * x, q)
        + q * (np.log(gamma) - total)
        + p * x * (np.log(x * z) - total)
    )


def _checked(purchases: npt.ArrayLike, mean_spend: npt.ArrayLike) -> tuple[Array, Array]:
    x, z = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (purchases, mean_spend))
    if x.shape != z.shape or x.ndim != 1:
        raise ValueError(
            f"purchases and mean spend must be vectors of one length (have {x.shape}, {z.shape})"
        )
    impossible = {
        "a figure that is not finite": ~(np.isfinite(x) & np.isfinite(z)),
        "no purchase": x <= 0,
        "a mean spend that is not above 0": z <= 0,
    }
    for problem, rows in impossible.items():
        if rows.any():
            raise ValueError(f"{int(rows.sum())} of {len(x)} customers have {problem}")
    return x, z
