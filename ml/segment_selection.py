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
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import nearest_group
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
OBJECTIVES = ("silhouette", "stability", "usefulness")


@dataclass(frozen=True)
class Protocol:
    """What is tried, on how many customers, and what is asked of a solution.

    Attributes
    ----------
    families : tuple of str
        Names of `ml.segment_families.FAMILIES`.
    k_range : tuple of int
        Two is left out by default: it only parts many orders from few.
    smallest_share, most_noise, least_stability, useful_share : float
        See the module.
    evaluation_rows, stability_rows : int
        Most customers for the cheap figures, and in each resample.
    bootstraps : int
        Resamples per finalist.
    finalists : int
        Of each family, by silhouette.
    pinned : str, optional
        The family that a deployment insists on; it is judged all the same.
    pinned_k : int, optional
        The number of groups it insists on.
    """

    families: tuple[str, ...] = tuple(FAMILIES)
    k_range: tuple[int, ...] = tuple(range(3, 13))
    smallest_share: float = 0.02
    most_noise: float = 0.25
    least_stability: float = 0.8
    useful_share: float = 0.9
    evaluation_rows: int = 4_000
    stability_rows: int = 2_500
    bootstraps: int = 10
    finalists: int = 2
    pinned: str | None = None
    pinned_k: int | None = None

    def __post_init__(self) -> None:
        for name in (*self.families, *([self.pinned] if self.pinned else [])):
            if name not in FAMILIES:
                raise ValueError(f"no family is called {name!r}; there are {', '.join(FAMILIES)}")
        if not self.k_range or min(self.k_range) < 2:
            raise ValueError(f"k_range must hold numbers of at least 2, not {self.k_range}")

    @property
    def tried(self) -> tuple[Family, ...]:
        """Families that are fitted."""
        return tuple(FAMILIES[n] for n in ((self.pinned,) if self.pinned else self.families))

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of groups that are tried."""
        return (self.pinned_k,) if self.pinned_k else self.k_range


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
        ``calinski_harabasz``, ``smallest_share``, ``noise``, ``usefulness`` with
        ``spend_explained`` and ``churn_explained``, ``stability``, ``month_stability`` (null
        unless a finalist), ``eligible``, ``finalist``, ``pareto``, ``chosen``.

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
    finalist = _finalists(table[eligible], protocol.finalists)
    resampled = points[even_rows(len(points), protocol.stability_rows, seed)]
    for name, rows in table.loc[finalist].groupby("family", sort=False):
        family, settings = FAMILIES[str(name)], rows["setting"].tolist()
        stable = bootstrap_stability(family, settings, resampled, seed, protocol.bootstraps)
        table.loc[rows.index, "stability"] = rows["setting"].map(stable)
        if months is not None:
            monthly = months.stability(family, settings, seed)
            table.loc[rows.index, "month_stability"] = rows["setting"].map(monthly)
    table["eligible"] = eligible
    table["finalist"] = table.index.isin(finalist)
    front = table.loc[pareto(table.loc[finalist])]
    table["pareto"] = table.index.isin(front.index)
    best = choose(front, protocol)
    table["chosen"] = table.index == best
    return candidates[best].family, candidates[best].fitted, table


def pareto(table: pd.DataFrame) -> list[int]:
    """Index of rows that no other row beats: as good in every objective and better in one.

    An objective that nobody has a figure for plays no part; a missing figure is the worst.
    """
    known = table[[name for name in OBJECTIVES if table[name].notna().any()]]
    values = known.fillna(-np.inf).to_numpy(dtype=float)
    kept = []
    for i, row in zip(table.index, values, strict=True):
        if not ((values >= row).all(axis=1) & (values > row).any(axis=1)).any():
            kept.append(int(i))
    return kept


def choose(front: pd.DataFrame, protocol: Protocol) -> int:
    """Index of the row of the Pareto set that the rule of this module chooses."""
    stability = front["stability"].fillna(-1.0)
    least = protocol.least_stability
    if stability.max() < least:
        least = stability.max() - 0.05
    stable = front[stability >= least]
    if stable["usefulness"].notna().any():
        best = stable["usefulness"].max()
        stable = stable[stable["usefulness"] >= best - (1 - protocol.useful_share) * abs(best)]
    return int(stable["silhouette"].nlargest(1).index[0])


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
        **dict.fromkeys(("usefulness", "spend_explained", "churn_explained"), float("nan")),
        **dict.fromkeys(("stability", "month_stability"), float("nan")),
    }
    if outcomes is not None:
        past = nearest_group(fitted.assigner, outcomes.points)
        explained = usefulness(past, outcomes.spend, outcomes.churned)
        figures["usefulness"] = explained.mean
        figures["spend_explained"], figures["churn_explained"] = explained
    return figures


def _finalists(eligible: pd.DataFrame, count: int) -> list[int]:
    """Index of the best silhouettes, and the most useful, of each family; no solution twice."""
    found: list[int] = []
    distinct = eligible.drop_duplicates(["family", "k", "silhouette", "smallest_share"])
    for _, rows in distinct.groupby("family", sort=False):
        found += [int(i) for i in rows["silhouette"].nlargest(count).index]
        if rows["usefulness"].notna().any():
            found.append(int(rows["usefulness"].nlargest(1).index[0]))
    return sorted(set(found))
