"""Journeys as paths of channels: reading, checking and flattening them for attribution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

PATH_COLUMNS = ("path", "conversions", "value", "nulls")
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def parse_path(text: str, separator: str = ">") -> tuple[str, ...]:
    """Read a path written as text, such as "search > email > email".

    Parameters
    ----------
    text : str
        Channel names in time order; blanks around a name do not count. Blank text is a path
        without a touchpoint.
    separator : str
        Must not occur in a channel name.

    Returns
    -------
    path : tuple of str

    Raises
    ------
    ValueError
        The text is null, or a name between two separators is missing.
    """
    if not isinstance(text, str):
        raise ValueError(f"a path must be text, not {text!r}")
    if not text.strip():
        return ()
    names = tuple(name.strip() for name in text.split(separator))
    if "" in names:
        raise ValueError(f"a touchpoint without name in the path {text!r}")
    return names


@dataclass(frozen=True)
class Journeys:
    """Checked paths: one entry per row, and one per touchpoint of every row.

    Attributes
    ----------
    channels : list of str, length m
        Sorted by name; a code below is an index into it.
    row, position, code : int array, shape (touchpoints,)
        Row of the touchpoint, its place in the path from 0, its channel.
    length : int array, shape (rows,)
        Touchpoints of each path.
    conversions, value, nulls : float array, shape (rows,)
    """

    channels: list[str]
    row: IntArray
    position: IntArray
    code: IntArray
    length: IntArray
    conversions: FloatArray
    value: FloatArray
    nulls: FloatArray

    def credits(self, weight: FloatArray) -> pd.DataFrame:
        """Share every row out over its touchpoints.

        Parameters
        ----------
        weight : array, shape (touchpoints,)
            At least 0, with a positive sum in each path; only proportions matter.

        Returns
        -------
        credits : DataFrame
            ``channel``, ``conversions``, ``value``; one row per channel, sorted by name.
        """
        share = weight / _sums(self.row, weight, len(self.length))[self.row]
        size = len(self.channels)
        return self.table(
            _sums(self.code, share * self.conversions[self.row], size),
            _sums(self.code, share * self.value[self.row], size),
        )

    def table(self, conversions: FloatArray, value: FloatArray) -> pd.DataFrame:
        """Credits of the channels, in their order."""
        return pd.DataFrame(
            {
                "channel": pd.Series(self.channels, dtype=object),
                "conversions": conversions,
                "value": value,
            }
        )


def read_journeys(paths: pd.DataFrame) -> Journeys:
    """Check a frame of paths and flatten it.

    Parameters
    ----------
    paths : DataFrame
        One row per path, in any order; the same path may have several rows.

        - ``path``: sequence of channel names in time order (no text: see `parse_path`);
        - ``conversions``: journeys on this path that converted;
        - ``value``: sum of what these conversions were worth, in one currency;
        - ``nulls``: journeys on this path that did not convert.

    Returns
    -------
    Journeys

    Raises
    ------
    KeyError
        A column is missing.
    ValueError
        A figure is null, infinite or negative; a value stands where nothing converted; a channel
        has no name; or a converting path has no touchpoint, so that nothing can earn its credit.
    """
    missing = [name for name in PATH_COLUMNS if name not in paths.columns]
    if missing:
        raise KeyError(f"missing in the paths: {', '.join(missing)}")
    conversions, value, nulls = (_amounts(paths[name]) for name in PATH_COLUMNS[1:])
    touched = [_names(row, path) for row, path in enumerate(paths["path"])]
    for row, names in enumerate(touched):
        if not names and conversions[row] > 0:
            raise ValueError(
                f"row {row}: {conversions[row]:g} conversions on a path without touchpoint: "
                'give it one, such as "direct", or leave it out'
            )
        if value[row] > 0 and conversions[row] == 0:
            raise ValueError(f"row {row}: a value of {value[row]:g} but no conversion")
    channels = sorted({name for names in touched for name in names})
    codes = {name: code for code, name in enumerate(channels)}
    return Journeys(
        channels=channels,
        row=_integers(row for row, names in enumerate(touched) for _ in names),
        position=_integers(place for names in touched for place in range(len(names))),
        code=_integers(codes[name] for names in touched for name in names),
        length=_integers(len(names) for names in touched),
        conversions=conversions,
        value=value,
        nulls=nulls,
    )


def _names(row: int, path: Any) -> tuple[str, ...]:
    if isinstance(path, str) or not hasattr(path, "__iter__"):
        raise ValueError(f"row {row}: a path must be a sequence of channel names, not {path!r}")
    names = tuple(path)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"row {row}: a channel must be named by text, not {name!r}")
    return names


def _amounts(column: pd.Series) -> FloatArray:
    amounts = pd.to_numeric(column, errors="raise").to_numpy(dtype=float, na_value=np.nan)
    unfit = np.flatnonzero(~(np.isfinite(amounts) & (amounts >= 0)))
    if len(unfit):
        row = int(unfit[0])
        raise ValueError(f"row {row}: {column.name} must be 0 or more, not {amounts[row]}")
    return amounts


def _integers(items: Iterable[int]) -> IntArray:
    return np.fromiter(items, dtype=np.int64)


def _sums(group: IntArray, amount: FloatArray, size: int) -> FloatArray:
    return np.bincount(group, amount, size).astype(np.float64)
