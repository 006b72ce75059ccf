"""Plain names of segments, from where their centroids lie against all customers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FAR = 0.5
"""Standard deviations of a logged column beyond which a centroid counts as high or low."""


def name_segments(centroids: Array) -> tuple[str, ...]:
    """Name segments by recency, frequency and money relative to the population.

    Parameters
    ----------
    centroids : float array, shape (k, 3)
        Standardised logs of recency, frequency and monetary, in the order of the ids.

    Returns
    -------
    names : tuple of str, length k
        All different. Equal descriptions are told apart by what differs most between them.
    """
    names = [_describe(*centroid) for centroid in centroids]
    for name in sorted(set(names)):
        same = [i for i, other in enumerate(names) if other == name]
        if len(same) > 1:
            for i, extra in zip(same, _difference(centroids[same]), strict=True):
                names[i] = f"{name}, {extra}"
    return tuple(names)


def _describe(recency: float, frequency: float, monetary: float) -> str:
    if frequency > FAR:
        who = "regulars"
    elif frequency < -FAR:
        who = "rare buyers" if recency > -FAR else "newcomers"
    else:
        who = "occasional buyers"
    spend = "big-spending " if monetary > FAR else "low-spending " if monetary < -FAR else ""
    if recency > FAR:
        when = "lapsed " if recency > 2 * FAR or frequency < -FAR else "lapsing "
    elif recency < -FAR:
        when = "loyal " if frequency > FAR else "recent " if frequency >= -FAR else ""
    else:
        when = ""
    return f"{when}{spend}{who}"


def _difference(centroids: Array) -> list[str]:
    """Return an ordinal along the column that differs most between centroids, shape (m, 3)."""
    axis = int(np.argmax(np.ptp(centroids, axis=0)))
    words = (
        ("bought most recently", "bought longest ago"),
        ("fewest orders", "most orders"),
        ("least spend", "most spend"),
    )[axis]
    order = np.argsort(centroids[:, axis], kind="stable")
    extra = [""] * len(order)
    for rank, i in enumerate(order):
        middle = f"middle {rank}" if len(order) > 3 else "middle"
        extra[i] = words[0] if rank == 0 else words[1] if rank == len(order) - 1 else middle
    return extra
