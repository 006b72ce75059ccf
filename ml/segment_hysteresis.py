"""Who stays in a segment although another is a little nearer: hysteresis against flicker."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
HYSTERESIS = 0.2
"""How much nearer another segment must be; measured in docs/figures.md."""
NOBODY = -1


@dataclass(frozen=True)
class Settled:
    """Where customers are, given where they were.

    Attributes
    ----------
    position : int array, shape (n,)
        Column of the segment; -1 for a customer held apart.
    margin : float array, shape (n,)
        How much nearer this segment is than the nearest other one, 0 to 1; below 0 where another
        is nearer, but not by enough to move. NaN for customers held apart.
    second : int array, shape (n,)
        Column of the nearest other segment; -1 where there is none.
    """

    position: IntArray
    margin: Array
    second: IntArray


def settle(distances: Array, held: IntArray, threshold: float = HYSTERESIS) -> Settled:
    """Move customers to the nearest segment once it is clearly nearer than the one they are in.

    Nothing but a customer's own row counts, so that any batching gives the same.

    Parameters
    ----------
    distances : float array, shape (n, k)
        To each segment; NaN rows for customers held apart.
    held : int array, shape (n,)
        Column of the segment each is in; -1 where that is none of these (a first assignment, a
        retired segment, or held apart before): the nearest one takes them.
    threshold : float
        A customer stays while ``1 - nearest / own`` is below it. 0: no hysteresis.

    Returns
    -------
    Settled
    """
    rows = np.arange(len(distances))
    placed = np.asarray(~np.isnan(distances).any(axis=1))
    known = np.where(placed[:, None], distances, 0.0)
    nearest = known.argmin(axis=1)
    inside = np.where(held >= 0, held, nearest)
    lead = _lead(known[rows, nearest], known[rows, inside])
    position = np.where(lead < threshold, inside, nearest)
    others = known.copy()
    others[rows, position] = np.inf
    second = others.argmin(axis=1)
    own, other = known[rows, position], others[rows, second]
    margin = np.where(own <= other, _lead(own, other), -_lead(other, own))
    apart = ~placed
    return Settled(
        np.where(apart, NOBODY, position),
        np.where(apart, np.nan, margin),
        np.where(apart | (distances.shape[1] < 2), NOBODY, second),
    )


def _lead(nearer: Array, farther: Array) -> Array:
    """How much nearer, as a share of the farther distance: 0 to 1; 0 where both are 0."""
    with np.errstate(all="ignore"):
        return np.where(farther > 0, 1 - nearer / farther, 0.0)
