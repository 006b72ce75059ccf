"""The families of clusterings behind one interface: fit, assign, describe.

A family fits points for several settings at once (a tree is grown once and cut at each k), and
hands back an assigner for each. The number of groups is the setting where a family takes one;
density families find it themselves, their setting is how dense a group has to be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.segment_assigners import MixtureAssigner
from ml.segment_centres import fit_kmeans, fit_mixture
from ml.segment_density import DBSCAN_SETTINGS, HDBSCAN_SETTINGS, fit_dbscan, fit_hdbscan
from ml.segment_fitted import Fitted
from ml.segment_som import fit_som
from ml.segment_ward import fit_ward

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """One way to find groups.

    Attributes
    ----------
    name, title : str
        For machines and for people.
    fit : callable
        ``fit(points, settings, seed) -> list of Fitted``; points of shape (n, d), in canonical
        order. A setting without a solution (fewer than two groups) is left out.
    settings : tuple of float, optional
        What to try; None: the numbers of groups.
    rows : int
        Most points that it is fitted on.
    """

    name: str
    title: str
    fit: Callable[[Array, Sequence[float], int], list[Fitted]]
    settings: tuple[float, ...] | None
    rows: int

    def describe(self, fitted: Fitted) -> str:
        """Say in words what was found and how new customers are placed."""
        found = f"{self.title}, {fitted.assigner.groups} groups"
        if self.settings is not None:
            found += f" (setting {fitted.setting:g}, {fitted.noise:.0%} in none)"
        if isinstance(fitted.assigner, MixtureAssigner):
            return f"{found}; a customer belongs to the most probable one"
        count = len(fitted.assigner.arrays()["prototypes"])
        if count == fitted.assigner.groups:
            return f"{found}; a customer belongs to the nearest centre"
        return f"{found}; a customer belongs with the nearest of {count:,} known points"


FAMILIES = {
    family.name: family
    for family in (
        Family("kmeans", "K-means", fit_kmeans, None, 20_000),
        Family("mixture", "Gaussian mixture", fit_mixture, None, 5_000),
        Family("ward", "agglomerative (Ward)", fit_ward, None, 2_500),
        Family("hdbscan", "HDBSCAN", fit_hdbscan, HDBSCAN_SETTINGS, 2_500),
        Family("dbscan", "DBSCAN", fit_dbscan, DBSCAN_SETTINGS, 2_500),
        Family("som", "self-organising map", fit_som, None, 5_000),
    )
}
