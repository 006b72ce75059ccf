"""Label horizons from the customers' own rhythm."""

import numpy as np
import numpy.typing as npt

LADDER_DAYS = (7, 14, 30, 60, 90, 180, 365)
HISTORY_SHARE = 5


def churn_horizon(gap_days: npt.ArrayLike, history_days: float) -> int:
    """Days without a purchase, or without any activity, after which a customer counts as gone.

    The shortest of ``LADDER_DAYS`` that 95 % of the observed gaps of a customer stay within, but
    no longer than a fifth of the history, so that enough past instants with a whole horizon
    behind them remain to train and judge on.

    Parameters
    ----------
    gap_days
        Days between successive order days (or days of activity) of a customer, over all
        customers, shape (n,).
    history_days
        Days from the first to the last of them.

    Raises
    ------
    ValueError
        When the history is shorter than five times the shortest horizon.
    """
    longest = history_days / HISTORY_SHARE
    possible = [days for days in LADDER_DAYS if days <= longest]
    if not possible:
        raise ValueError(
            f"{history_days:.0f} days of history are too few: the shortest horizon of "
            f"{LADDER_DAYS[0]} days needs {LADDER_DAYS[0] * HISTORY_SHARE}"
        )
    return _shortest_covering(gap_days, 0.95, possible)


def purchase_horizon(gap_days: npt.ArrayLike, churn_days: int) -> int:
    """Days within which half of the observed gaps end, on the ladder, at most ``churn_days``."""
    possible = [days for days in LADDER_DAYS if days <= churn_days] or [churn_days]
    return _shortest_covering(gap_days, 0.5, possible)


def _shortest_covering(gap_days: npt.ArrayLike, share: float, possible: list[int]) -> int:
    gaps = np.asarray(gap_days, dtype=float)
    if gaps.size == 0:
        return possible[-1]
    needed = float(np.quantile(gaps, share))
    return next((days for days in possible if days >= needed), possible[-1])
