"""What is asked of a segmentation, and the rule that chooses one: see `ml.segment_selection`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.segment_families import FAMILIES, Family

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
    incumbent : (str, int), optional
        Family and number of groups in force.
    incumbent_margin : float
        See the module.
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
    incumbent: tuple[str, int] | None = None
    incumbent_margin: float = 0.05

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


def choose(front: pd.DataFrame, protocol: Protocol, in_force: pd.DataFrame | None = None) -> int:
    """Index of the row that steps 5 and 6 of `ml.segment_selection` choose.

    Parameters
    ----------
    front : DataFrame
        Rows of the Pareto set.
    protocol : Protocol
    in_force : DataFrame, optional
        The incumbent's row, in the Pareto set or not.
    """
    best = stable_and_useful(front, protocol)["silhouette"].nlargest(1)
    if in_force is not None and len(in_force):
        others = front.drop(index=in_force.index, errors="ignore")
        staying = stable_and_useful(pd.concat([others, in_force]), protocol)
        held = staying.loc[staying.index.isin(in_force.index), "silhouette"]
        if len(held) and held.iloc[0] >= best.iloc[0] - protocol.incumbent_margin:
            best = held
    return int(best.index[0])


def stable_and_useful(front: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Rows that are stable enough, and of these useful enough: step 5."""
    stability = front["stability"].fillna(-1.0)
    least = protocol.least_stability
    if stability.max() < least:
        least = stability.max() - 0.05
    stable = front[stability >= least]
    if stable["usefulness"].notna().any():
        best = stable["usefulness"].max()
        stable = stable[stable["usefulness"] >= best - (1 - protocol.useful_share) * abs(best)]
    return stable


def incumbents(eligible: pd.DataFrame, protocol: Protocol) -> list[int]:
    """Index of the row with the family and number of groups in force, or nothing."""
    if protocol.incumbent is None:
        return []
    family, k = protocol.incumbent
    same = eligible[(eligible["family"] == family) & (eligible["k"] == k)]
    return [int(i) for i in same.index[:1]]


def finalists(eligible: pd.DataFrame, count: int) -> list[int]:
    """Index of the best silhouettes, and the most useful, of each family; no solution twice."""
    found: list[int] = []
    distinct = eligible.drop_duplicates(["family", "k", "silhouette", "smallest_share"])
    for _, rows in distinct.groupby("family", sort=False):
        found += [int(i) for i in rows["silhouette"].nlargest(count).index]
        if rows["usefulness"].notna().any():
            found.append(int(rows["usefulness"].nlargest(1).index[0]))
    return sorted(set(found))
