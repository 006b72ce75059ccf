"""Which new segment is which old one, so that a group stays itself when it is fitted again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.segment_matching import NOBODY, match_centroids, match_members
from ml.segment_model import PALETTE, SegmentModel, colour_for

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Kept:
    """A segment that is the same as before.

    Attributes
    ----------
    segment_id, name : int, str
        As before.
    name_anew : str
        What it would be called if it were new.
    distance : float
        Between its old and new centroid, over that to the nearest other group; NaN where the
        spaces have no feature in common.
    """

    segment_id: int
    name: str
    name_anew: str
    distance: float

    @property
    def fits_its_name(self) -> bool:
        return self.name == self.name_anew


@dataclass(frozen=True)
class Identity:
    """What became of each segment when the segmentation was fitted again.

    Attributes
    ----------
    kept : tuple of Kept
    born, retired : tuple of (int, str)
        Id and name.
    """

    kept: tuple[Kept, ...] = ()
    born: tuple[tuple[int, str], ...] = ()
    retired: tuple[tuple[int, str], ...] = ()

    def notices(self) -> tuple[str, ...]:
        """What people should know, in sentences; empty where every segment stayed itself."""
        said = [
            f"segment {number} ({name}) is new: no segment of before lies where it does"
            for number, name in self.born
        ]
        said += [
            f"segment {number} ({name}) is retired: no segment of now lies where it did"
            for number, name in self.retired
        ]
        said += [
            f"segment {each.segment_id} keeps the name ({each.name}); "
            f"new, it would be called: {each.name_anew}"
            for each in self.kept
            if not each.fits_its_name
        ]
        return tuple(said)

    def table(self) -> pd.DataFrame:
        """One row per segment of before or now: id, name, fate, the name anew, distance."""
        rows = [(k.segment_id, k.name, "kept", k.name_anew, k.distance) for k in self.kept]
        rows += [(number, name, "born", name, np.nan) for number, name in self.born]
        rows += [(number, name, "retired", "", np.nan) for number, name in self.retired]
        columns = ["segment_id", "segment_name", "fate", "name_anew", "distance"]
        return pd.DataFrame(sorted(rows), columns=columns)


def keep_identity(
    new: SegmentModel,
    old: SegmentModel | None,
    customers: pd.DataFrame,
    *,
    next_id: int = 1,
    names_ever: Sequence[str] = (),
) -> tuple[SegmentModel, Identity]:
    """Give segments that were there before their id, name and colour back, and others new ones.

    Parameters
    ----------
    new : SegmentModel
    old : SegmentModel or None
        In force before; None: every segment is born.
    customers : DataFrame, n rows
        Whom both can assign; they decide where the two are of different spaces.
    next_id : int
        The next id that no segment has ever had; one above those of `old` where that is more.
    names_ever : sequence of str
        Names that segments have had, retired ones included: a new segment gets another.

    Returns
    -------
    model : SegmentModel
        The groups of `new`; ids are never given again.
    identity : Identity
    """
    before = () if old is None else tuple(zip(old.ids, old.names, old.colours, strict=True))
    matched, distance = _matched(new, old, customers)
    ids, names, colours = list(new.ids), list(new.names), list(new.colours)
    kept, born = np.flatnonzero(matched >= 0), np.flatnonzero(matched == NOBODY)
    for i in kept:
        ids[i], names[i], colours[i] = before[matched[i]]
    taken = {colours[i] for i in kept}
    number = max(next_id, 1 if old is None else old.next_id)
    for i in born:
        others = {*names_ever, *(name for _, name, _ in before)}
        others |= {name for j, name in enumerate(names) if j != i}
        ids[i], names[i] = number, unique_name(new.names[i], number, others)
        colours[i] = _free_colour(number, taken)
        taken.add(colours[i])
        number += 1
    identity = Identity(
        kept=tuple(Kept(ids[i], names[i], new.names[i], float(distance[i])) for i in kept),
        born=tuple((ids[i], names[i]) for i in born),
        retired=tuple(
            (segment_id, name) for j, (segment_id, name, _) in enumerate(before) if j not in matched
        ),
    )
    return new.relabelled(ids, names, colours, number), identity


def _matched(
    new: SegmentModel, old: SegmentModel | None, customers: pd.DataFrame
) -> tuple[IntArray, Array]:
    if old is None:
        return np.full(new.k, NOBODY, dtype=np.int64), np.full(new.k, np.nan)
    if new.space.spec.name == old.space.spec.name:
        here = new.space.located(new.centroids)
        return match_centroids(old.centroids_in(new.space), here)
    places = _positions(old, customers), _positions(new, customers)
    return match_members(*places, (old.k, new.k)), np.full(new.k, np.nan)


def unique_name(name: str, segment_id: int, taken: Collection[str]) -> str:
    """The name, told apart by the id where another segment has had it."""
    return f"{name} ({segment_id})" if name in taken else name


def _free_colour(segment_id: int, taken: Collection[str]) -> str:
    """A colour that no kept segment has, the segment's own where possible."""
    own = colour_for(segment_id)
    free = [colour for colour in (own, *PALETTE) if colour not in taken]
    return free[0] if free else own


def _positions(model: SegmentModel, customers: pd.DataFrame) -> IntArray:
    """Position of each customer's segment; -1 for those held apart."""
    place = {number: i for i, number in enumerate(model.ids)}
    assigned = model.assign(customers)["segment_id"]
    return np.array([place.get(int(number), NOBODY) for number in assigned], dtype=np.int64)
