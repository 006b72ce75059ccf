"""A training frame as arrays, with the roles of its dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.matrix import feature_matrix, feature_names
from ml.splits import TimeSplit, as_of_dates, split_by_time
from ml.task import Question

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Dates = tuple[pd.Timestamp, ...]


@dataclass(frozen=True)
class LabelledRows:
    """Rows of one task, in order of date and customer.

    Attributes
    ----------
    frame : DataFrame, n rows
    features : tuple of str, length k
    matrix : float array, shape (n, k)
    label : float array, shape (n,)
    split : TimeSplit
    """

    frame: pd.DataFrame
    features: tuple[str, ...]
    matrix: Array
    label: Array
    split: TimeSplit

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        task: Question,
        horizon_days: int,
        features: Sequence[str] | None = None,
        *,
        min_rows: int = 100,
    ) -> LabelledRows:
        """Read a frame; see `ml.classifier.train` for the parameters.

        Raises
        ------
        NotEnoughHistory, FeatureError, ValueError
        """
        split = split_by_time(frame, horizon_days, min_rows=min_rows, binary=task.is_binary)
        names = tuple(features) if features is not None else feature_names(frame)
        ordered = _in_order(frame)
        return cls(
            ordered,
            names,
            feature_matrix(ordered, names),
            ordered["label"].to_numpy(dtype=float),
            split,
        )

    @property
    def dates(self) -> Dates:
        """Every as-of date, ascending."""
        return tuple(as_of_dates(self.frame))

    def at(self, *dates: pd.Timestamp) -> Mask:
        """Say which rows are of some dates: bool array, shape (n,)."""
        return self.split.rows(self.frame, dates)

    @cached_property
    def known(self) -> Mask:
        """Rows whose label was known at the test cutoff."""
        return self.at(*self.split.training)

    @cached_property
    def test(self) -> Mask:
        """Rows of the test cutoff."""
        return self.at(self.split.test)


def take(values: Array, members: Mask) -> Array:
    """Rows of an array, shape (n, ...), that a mask of shape (n,) names.

    Rows of consecutive dates follow one another; then it is a view and costs no memory.
    """
    first, count = int(members.argmax()), int(members.sum())
    if members[first : first + count].all():
        return values[first : first + count]
    return values[members]


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    date, key = frame["as_of"].to_numpy(), frame["customer_key"].to_numpy()
    later = date[1:] > date[:-1]
    next_key = (date[1:] == date[:-1]) & (key[1:] >= key[:-1])
    if (later | next_key).all():
        return frame.reset_index(drop=True)
    return frame.sort_values(["as_of", "customer_key"], kind="stable").reset_index(drop=True)
