"""From scored pairs to groups: no chain of pairs makes one person of many profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd

SUPPORT = 0.5
"""Share of the pairs between two groups that have to be listed before the groups become one."""


def in_one_group(pairs: pd.DataFrame, same: float) -> pd.Series:
    """Whether both profiles of a pair fall into one group.

    The strongest pair goes first. A pair of at least ``same`` joins the groups of its profiles
    only when at least half of all pairs between them are listed, so that A-B and B-C do not make
    A and C one person when nothing else speaks for it.

    Parameters
    ----------
    pairs : DataFrame, shape (n_pairs, ...)
        ``left``, ``right`` (integers), ``weight`` and ``probability``.
    same
        Lowest probability of a pair that joins.

    Returns
    -------
    Series of bool, shape (n_pairs,)
    """
    left, right = pairs["left"].to_numpy(), pairs["right"].to_numpy()
    listed: dict[int, set[int]] = {}
    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        listed.setdefault(one, set()).add(other)
        listed.setdefault(other, set()).add(one)

    group: dict[int, list[int]] = {profile: [profile] for profile in listed}
    order = np.lexsort((right, left, -pairs["weight"].to_numpy().round(3)))
    strong = order[pairs["probability"].to_numpy()[order] >= same]
    for one, other in zip(left[strong].tolist(), right[strong].tolist(), strict=True):
        small, large = sorted((group[one], group[other]), key=len)
        if small is large:
            continue
        members = set(large)
        between = sum(len(listed[profile] & members) for profile in small)
        if between < SUPPORT * len(small) * len(large):
            continue
        large.extend(small)
        group.update(dict.fromkeys(small, large))
    joined = [
        group[one] is group[other] for one, other in zip(left.tolist(), right.tolist(), strict=True)
    ]
    return pd.Series(joined, index=pairs.index, dtype=bool)
