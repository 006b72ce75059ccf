"""One protocol that judges every family and number of groups, and the rule that chooses.

1. Every candidate is fitted and gets the cheap figures, on a sample of the customers: silhouette,
   Davies-Bouldin, Calinski-Harabasz, smallest group, share of noise, usefulness.
2. A candidate is eligible with no group below ``smallest_share``, no more noise than
   ``most_noise`` and a number of groups in ``k_range``.
3. Finalists are the eligible ones of each family with the best silhouettes, and the most useful
   one. Only they are fitted again on resamples and on last month: stability is what costs.
4. The Pareto set holds the finalists that no other beats in silhouette, stability and usefulness.
5. Of the Pareto set, those with a stability of at least ``least_stability`` (all within .05 of the
   most stable where none reaches it) and a usefulness of at least ``useful_share`` of the best of
   these stay; the highest silhouette of them is chosen.
6. What is in force (``incumbent``: family and number of groups) stays although another is chosen,
   where it would stay in 5 too and its silhouette is at most ``incumbent_margin`` lower: groups
   that come and go with every training are of no use to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import nearest_group
from ml.segment_choice import Protocol, choose, finalists, incumbents, pareto
from ml.segment_columns import NoSegments
from ml.segment_families import FAMILIES, Family
from ml.segment_fitted import Fitted
from ml.segment_quality import (
    FloatMatrix,
    calinski_harabasz,
    davies_bouldin,
    distance_matrix,
    silhouettes,
    usefulness,
)
from ml.segment_sample import even_rows
from ml.segment_stability import Months, bootstrap_stability

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """Customers at a past date and what they did next, to judge usefulness by.

    Attributes
    ----------
    points : float array, shape (m, d)
        In the space, at the past date; rows in an order that says nothing.
    spend, churned : float array, shape (m,), optional
        In the period that followed.
    """

    points: Array
    spend: Array | None = None
    churned: Array | None = None


@dataclass
class _Candidate:
    family: Family
    fitted: Fitted
    figures: dict[str, float] = field(default_factory=dict)


def select(
    points: Array,
    protocol: Protocol,
    *,
    outcomes: Outcomes | None = None,
    months: Months | None = None,
    seed: int = 0,
) -> tuple[Family, Fitted, pd.DataFrame]:
    """Judge every candidate and choose one.

    Parameters
    ----------
    points : float array, shape (n, d)
        In canonical order.
    protocol : Protocol
    outcomes : Outcomes, optional
        Without it usefulness is not known (NaN) and plays no part.
    months : Months, optional
    seed : int

    Returns
    -------
    family, fitted
        The chosen solution.
    table : DataFrame
        One row per candidate: ``family``, ``setting``, ``k``, ``silhouette``, ``davies_bouldin``,
        ``calinski_harabasz``, ``smallest_share``, ``noise``, ``customers`` (whom these rest on),
        ``usefulness`` with ``spend_explained`` and ``churn_explained``, ``stability``,
        ``month_stability`` (null unless a finalist), ``eligible``, ``finalist``, ``pareto``,
        ``chosen``.

    Raises
    ------
    NoSegments
        Too few distinct customers, or no candidate is eligible.
    """
    candidates = _candidates(points, protocol, outcomes, seed)
    table = pd.DataFrame([candidate.figures for candidate in candidates])
    table.insert(0, "family", [candidate.family.name for candidate in candidates])
    eligible = (
        (table["smallest_share"] >= protocol.smallest_share)
        & (table["noise"] <= protocol.most_noise)
        & table["k"].isin(protocol.counts)
    )
    if not eligible.any():
        wanted = f"k in {list(protocol.counts)}, at least {protocol.smallest_share:.0%} each"
        found = ", ".join(
            f"{row.family} {row.k}: {row.smallest_share:.1%}" for row in table.itertuples()
        )
        raise NoSegments(f"no solution has {wanted} and little noise; smallest groups: {found}")
    in_force = incumbents(table[eligible], protocol)
    finalist = sorted({*finalists(table[eligible], protocol.finalists), *in_force})
    resampled = points[even_rows(len(points), protocol.stability_rows, seed)]
    for name, rows in table.loc[finalist].groupby("family", sort=False):
        family, settings = FAMILIES[str(name)], rows["setting"].tolist()
        stable = bootstrap_stability(family, settings, resampled, seed, protocol.bootstraps)
        table.loc[rows.index, "stability"] = rows["setting"].map(stable)
        if months is not None:
            solutions = [candidates[int(i)].fitted for i in rows.index]
            monthly = months.stability(family, solutions, seed)
            table.loc[rows.index, "month_stability"] = rows["setting"].map(monthly)
    table["eligible"] = eligible
    table["finalist"] = table.index.isin(finalist)
    front = table.loc[pareto(table.loc[finalist])]
    table["pareto"] = table.index.isin(front.index)
    best = choose(front, protocol, table.loc[in_force])
    table["chosen"] = table.index == best
    return candidates[best].family, candidates[best].fitted, table


def _candidates(
    points: Array, protocol: Protocol, outcomes: Outcomes | None, seed: int
) -> list[_Candidate]:
    distinct = len(np.unique(points, axis=0))
    counts = [k for k in protocol.counts if k < distinct]
    if not counts:
        raise NoSegments(
            f"{len(points)} customers, {distinct} distinct: more than {min(protocol.counts)} "
            "distinct ones are needed"
        )
    rows = points[even_rows(len(points), protocol.evaluation_rows, seed)]
    distances = distance_matrix(rows)
    found = []
    for family in protocol.tried:
        sample = points[even_rows(len(points), family.rows, seed)]
        settings: Sequence[float] = counts if family.settings is None else family.settings
        for fitted in family.fit(sample, settings, seed):
            candidate = _Candidate(family, fitted)
            candidate.figures = _cheap_figures(fitted, rows, distances, outcomes)
            found.append(candidate)
    if not found:
        names = ", ".join(family.name for family in protocol.tried)
        raise NoSegments(f"{names}: no groups in {len(points)} customers")
    return found


def _cheap_figures(
    fitted: Fitted, rows: Array, distances: FloatMatrix, outcomes: Outcomes | None
) -> dict[str, float]:
    groups = nearest_group(fitted.assigner, rows)
    sizes = np.bincount(groups, minlength=fitted.assigner.groups)
    figures = {
        "setting": fitted.setting,
        "k": fitted.assigner.groups,
        "silhouette": float(silhouettes(distances, groups).mean()),
        "davies_bouldin": davies_bouldin(rows, groups),
        "calinski_harabasz": calinski_harabasz(rows, groups),
        "smallest_share": float(sizes.min() / len(rows)),
        "noise": fitted.noise,
        "customers": len(rows),
        **dict.fromkeys(("usefulness", "spend_explained", "churn_explained"), float("nan")),
        **dict.fromkeys(("stability", "month_stability"), float("nan")),
    }
    if outcomes is not None:
        past = nearest_group(fitted.assigner, outcomes.points)
        explained = usefulness(past, outcomes.spend, outcomes.churned)
        figures["usefulness"] = explained.mean
        figures["spend_explained"], figures["churn_explained"] = explained
    return figures
