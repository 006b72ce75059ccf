"""A segmentation: a space, groups in it, and the name that each customer's group goes by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_assigners import Assigner, assign
from ml.segment_space import SegmentSpace

Array = npt.NDArray[np.float64]
APART = 0
APART_COLOUR = "#8C8C8C"
PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    *("#882255", "#44AA99", "#999933", "#332288", "#AA4499", "#117733"),
)
"""Okabe and Ito (2008), then Tol's muted scheme: told apart by colour-blind readers."""
QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99)
CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class AtFit:
    """What the segmentation looked like when it was fitted, for `ml.segment_staleness`.

    Attributes
    ----------
    customers : int
        Customers with a segment (segment 0 left out).
    shares : tuple of float, length k
        Of these customers, by segment.
    silhouette : float
    distances : tuple of float
        Quantiles `QUANTILES` of the customers' distances to their segments.
    """

    customers: int
    shares: tuple[float, ...]
    silhouette: float
    distances: tuple[float, ...]


@dataclass(frozen=True)
class SegmentModel:
    """Segments of customers. Segment 0 is the customers that the space holds apart.

    Attributes
    ----------
    space : SegmentSpace
    family : str
        How the groups were found: a name of `ml.segment_families.FAMILIES`.
    assigner : Assigner
        Its group i is the segment ``ids[i]``; so are row i of the arrays below.
    ids : tuple of int, length k
        Stable numbers of the segments, above 0, not necessarily 1 to k.
    names, colours : tuple of str, length k
    centroids : float array, shape (k, d)
        Mean of the members at fit, in the space's logged columns (neither centred nor scaled).
    spreads : float array, shape (k, d)
        Standard deviation of the members at fit, likewise.
    at_fit : AtFit
    selection : DataFrame
        Every candidate with its figures: see `ml.segment_selection.select`.
    seed : int
    next_id : int
        The id of the next segment to be born: ids of retired segments are never given again.
    """

    space: SegmentSpace
    family: str
    assigner: Assigner
    ids: tuple[int, ...]
    names: tuple[str, ...]
    colours: tuple[str, ...]
    centroids: Array
    spreads: Array
    at_fit: AtFit
    selection: pd.DataFrame
    seed: int
    next_id: int

    def __post_init__(self) -> None:
        k = self.assigner.groups
        for what in ("ids", "names", "colours", "centroids", "spreads"):
            if len(getattr(self, what)) != k:
                raise ValueError(f"{k} segments, but {len(getattr(self, what))} {what}")
        if len(set(self.ids)) != k or min(self.ids) <= APART:
            raise ValueError(f"ids must differ and lie above {APART}, not {self.ids}")
        if len({*self.names, self.apart_name}) != k + 1:
            raise ValueError(f"names must differ, and not be {self.apart_name!r}: {self.names}")
        if self.next_id <= max(self.ids):
            raise ValueError(f"next_id must lie above every id: {self.next_id}, ids {self.ids}")

    @property
    def k(self) -> int:
        """Number of segments, 0 left out."""
        return self.assigner.groups

    @property
    def apart_name(self) -> str:
        """Name of segment 0: who has no orders, or too few for the space."""
        return self.space.spec.apart_name

    @property
    def description(self) -> str:
        """How the groups were found and how customers are placed, in a sentence."""
        from ml.segment_families import FAMILIES
        from ml.segment_fitted import Fitted

        chosen = self.selection[self.selection["chosen"]].iloc[0]
        fitted = Fitted(chosen.get("setting", self.k), self.assigner, chosen.get("noise", 0.0))
        return f"{FAMILIES[self.family].describe(fitted)}, by {self.space.spec.name}"

    def assign(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Give each customer a segment, in batches of rows that need nothing of each other.

        Parameters
        ----------
        frame : DataFrame, n rows

        Returns
        -------
        assigned : DataFrame, n rows, index of `frame`
            ``segment_id``, ``segment_name``, ``distance`` (in units of the space), ``second_id``
            (the next nearest segment) and ``margin`` (how much nearer the nearest is: 1 -
            distance / distance to the second, 0 on the border, at most 1). For customers held
            apart 0, `apart_name`, null, 0 and null.
        """
        ids = np.full(len(frame), APART, dtype=np.int64)
        second = np.full(len(frame), APART, dtype=np.int64)
        groups = np.full(len(frame), self.k, dtype=np.int64)
        distance, margin = np.full((2, len(frame)), np.nan)
        numbers = np.array(self.ids)
        for start in range(0, len(frame), CHUNK_ROWS):
            points = self.space.points(frame.iloc[start : start + CHUNK_ROWS])
            rows = np.flatnonzero(~np.isnan(points).any(axis=1))
            found = assign(self.assigner, points if len(rows) == len(points) else points[rows])
            rows += start
            groups[rows] = found.group
            ids[rows], second[rows] = numbers[found.group], numbers[found.second]
            distance[rows], margin[rows] = found.distance, found.margin
        names = np.array([*self.names, self.apart_name], dtype=object)
        return pd.DataFrame(
            {
                "segment_id": ids,
                "segment_name": names[groups],
                "distance": distance,
                "second_id": second,
                "margin": margin,
            },
            index=frame.index,
        )

    def name_of(self, segment_id: int) -> str:
        """Return the name of a segment, 0 included."""
        if segment_id == APART:
            return self.apart_name
        return self.names[self.ids.index(segment_id)]

    def colour_of(self, segment_id: int) -> str:
        """Return the colour of a segment, 0 included."""
        if segment_id == APART:
            return APART_COLOUR
        return self.colours[self.ids.index(segment_id)]

    def centroids_in(self, space: SegmentSpace) -> Array:
        """Centroids as points of another space, shape (k, dimensions of that space).

        The columns are compared by name and in their own units; a column that this model does not
        have lies at the other space's centre.
        """
        return space.located(self.space.translated(self.centroids, space))

    def profile(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Size and means of each segment: see `ml.segment_profile.profile`."""
        from ml.segment_profile import profile

        return profile(self, frame)

    def relabelled(
        self,
        ids: Sequence[int],
        names: Sequence[str] | None = None,
        colours: Sequence[str] | None = None,
        next_id: int | None = None,
    ) -> SegmentModel:
        """Return the same groups under other ids, as when matched to an older model.

        Parameters
        ----------
        ids : sequence of int, length k
            New id of each group, in the present order.
        names, colours : sequence of str, length k, optional
            In the same order. By default names stay and colours follow the ids.
        next_id : int, optional
            Default: one above every id, and not below the present one.
        """
        return replace(
            self,
            ids=tuple(int(i) for i in ids),
            names=self.names if names is None else tuple(names),
            colours=tuple(colours) if colours is not None else tuple(map(colour_for, ids)),
            next_id=max(self.next_id, *(int(i) + 1 for i in ids)) if next_id is None else next_id,
        )


def colour_for(segment_id: int) -> str:
    """Colour of a new segment: the palette in turn by id."""
    return PALETTE[(int(segment_id) - 1) % len(PALETTE)]
