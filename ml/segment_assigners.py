"""How a point gets its group: the nearest prototype, or the most probable component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BLOCK = 1 << 22
"""Distances held at once: 32 MB."""


class Assignment(NamedTuple):
    """Nearest and second nearest group of n points; arrays of shape (n,).

    ``margin`` is how much nearer the nearest is, 1 - distance / second distance: 0 on the border,
    1 on top of a group.
    """

    group: IntArray
    distance: Array
    second: IntArray
    margin: Array


class Assigner(Protocol):
    """Squared distances of points to groups; what a family learnt, as plain arrays."""

    kind: ClassVar[str]

    @property
    def groups(self) -> int:
        """Number of groups, k."""
        ...

    def squares(self, points: Array) -> Array:
        """Squared distances of points, shape (n, d), to groups: shape (n, k)."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Everything that is needed to build it again."""
        ...

    def reordered(self, order: Sequence[int]) -> Assigner:
        """Return the same groups in another order: new group i is present group ``order[i]``."""
        ...


@dataclass(frozen=True)
class PrototypeAssigner:
    """Each point goes to the group of its nearest prototype.

    One prototype per group is K-means; nodes are a self-organising map; labelled customers are
    the nearest-neighbour assigner of families that cannot place new points themselves.

    Attributes
    ----------
    prototypes : float array, shape (m, d)
        In order of their groups.
    owners : int array, shape (m,)
        Group of each prototype, 0 to k - 1, every one of them there.
    """

    kind: ClassVar[str] = "prototypes"
    prototypes: Array
    owners: IntArray

    @classmethod
    def of(cls, prototypes: Array, owners: npt.ArrayLike) -> PrototypeAssigner:
        """Sort prototypes by group; those of no group (-1) are left out."""
        groups = np.asarray(owners, dtype=np.int64)
        kept = np.flatnonzero(groups >= 0)
        kept = kept[np.argsort(groups[kept], kind="stable")]
        found = cls(np.ascontiguousarray(prototypes[kept]), groups[kept])
        if not len(kept) or len(np.unique(found.owners)) != found.groups:
            raise ValueError(f"groups must be 0 to k - 1, not {np.unique(groups).tolist()}")
        return found

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.owners[-1]) + 1

    def squares(self, points: Array) -> Array:
        """Squared Euclidean distances to the nearest prototype of each group, shape (n, k)."""
        found = np.empty((len(points), self.groups))
        norms = (self.prototypes**2).sum(axis=1)
        starts = np.searchsorted(self.owners, np.arange(self.groups))
        single = self.groups == len(self.prototypes)
        step = max(1, BLOCK // len(self.prototypes))
        for start in range(0, len(points), step):
            block = points[start : start + step]
            distances = block @ (-2.0 * self.prototypes.T)
            distances += norms
            distances += np.einsum("ij,ij->i", block, block)[:, None]
            found[start : start + step] = (
                distances if single else np.minimum.reduceat(distances, starts, axis=1)
            )
        return np.maximum(found, 0.0, out=found)

    def arrays(self) -> dict[str, Array]:
        """Prototypes and owners."""
        return {"prototypes": self.prototypes, "owners": self.owners.astype(float)}

    def reordered(self, order: Sequence[int]) -> PrototypeAssigner:
        """Return the same groups in another order."""
        return PrototypeAssigner.of(self.prototypes, np.argsort(order)[self.owners])


@dataclass(frozen=True)
class MixtureAssigner:
    """Each point goes to its most probable component of a mixture of diagonal Gaussians.

    The squared distance is the Mahalanobis distance plus what a wide or rare component loses, less
    the same of the component that loses least; so the nearest is the most probable.

    Attributes
    ----------
    means : float array, shape (k, d)
    precisions : float array, shape (k, d)
        One over the variance of each column in each component.
    weights : float array, shape (k,)
    """

    kind: ClassVar[str] = "mixture"
    means: Array
    precisions: Array
    weights: Array

    @property
    def groups(self) -> int:
        """Number of components."""
        return len(self.means)

    def squares(self, points: Array) -> Array:
        """Penalised squared Mahalanobis distances, shape (n, k)."""
        penalty = -np.log(self.precisions).sum(axis=1) - 2 * np.log(self.weights)
        found = points**2 @ self.precisions.T
        found -= points @ (2 * self.means * self.precisions).T
        found += (self.means**2 * self.precisions).sum(axis=1)
        np.maximum(found, 0.0, out=found)
        found += penalty - penalty.min()
        return found

    def arrays(self) -> dict[str, Array]:
        """Means, precisions and weights."""
        return {"means": self.means, "precisions": self.precisions, "weights": self.weights}

    def reordered(self, order: Sequence[int]) -> MixtureAssigner:
        """Return the same components in another order."""
        index = list(order)
        return MixtureAssigner(self.means[index], self.precisions[index], self.weights[index])


def assign(assigner: Assigner, points: Array) -> Assignment:
    """Nearest and second nearest group of every point, shape (n, d)."""
    squares = assigner.squares(points)
    rows = np.arange(len(squares))
    nearest = squares.argmin(axis=1)
    first = squares[rows, nearest]
    if assigner.groups == 1:
        return Assignment(nearest, np.sqrt(first), nearest, np.ones(len(rows)))
    squares[rows, nearest] = np.inf
    second = squares.argmin(axis=1)
    runner_up = squares[rows, second]
    apart = runner_up > 0
    margin = np.zeros(len(rows))
    margin[apart] = 1 - np.sqrt(first[apart] / runner_up[apart])
    return Assignment(nearest, np.sqrt(first), second, margin)


def nearest_group(assigner: Assigner, points: Array) -> IntArray:
    """Group of every point, shape (n,): `assign` without distances."""
    return np.asarray(assigner.squares(points).argmin(axis=1), dtype=np.int64)


def from_arrays(kind: str, arrays: Mapping[str, Array]) -> Assigner:
    """Rebuild the assigner whose `arrays` these are."""
    if kind == PrototypeAssigner.kind:
        return PrototypeAssigner(arrays["prototypes"], arrays["owners"].astype(np.int64))
    if kind == MixtureAssigner.kind:
        return MixtureAssigner(arrays["means"], arrays["precisions"], arrays["weights"])
    raise ValueError(f"no assigner is called {kind!r}: this model is from another version of Shoal")
