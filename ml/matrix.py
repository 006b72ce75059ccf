"""From a feature frame to a float matrix, with errors that name the columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

Array = npt.NDArray[np.float64]
NOT_FEATURES = ("customer_key", "as_of", "label")
LARGEST = 1e15
"""Features are cut here: sums and cubes of larger numbers run out of what a float holds."""


class FeatureError(ValueError):
    """A frame lacks a feature, or holds one that is not numeric."""


def feature_names(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return every column that is not the key, the date or the label."""
    names = tuple(str(name) for name in frame.columns if name not in NOT_FEATURES)
    if not names:
        raise FeatureError(f"no feature columns (has: {', '.join(map(str, frame.columns))})")
    return names


def feature_matrix(frame: pd.DataFrame, names: Sequence[str]) -> Array:
    """Return the named columns as a float matrix, in the order of the names.

    Parameters
    ----------
    frame : DataFrame, n rows
        Numeric or boolean columns, nullable ones included. Others are ignored.
    names : sequence of str, length k
        Features a model was trained on.

    Returns
    -------
    matrix : float array, shape (n, k)
        Nulls and infinite values are NaN; all else lies within ±`LARGEST`.

    Raises
    ------
    FeatureError
        A column is missing, twice there, or not numeric; the message names all of them.
    """
    missing = [name for name in names if name not in frame.columns]
    if missing:
        have = ", ".join(map(str, frame.columns))
        raise FeatureError(f"missing feature columns: {', '.join(missing)} (has: {have})")
    columns = frame[list(names)]
    if columns.shape[1] != len(names):
        twice = frame.columns[frame.columns.duplicated()]
        raise FeatureError(f"columns appear twice: {', '.join(map(str, twice))}")
    wrong = [f"{n} ({columns[n].dtype})" for n in names if not _is_number(columns[n])]
    if wrong:
        raise FeatureError(f"feature columns are not numeric: {', '.join(wrong)}; cast them")
    matrix = np.column_stack(
        [columns[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names]
    )
    matrix[~np.isfinite(matrix)] = np.nan
    return np.clip(matrix, -LARGEST, LARGEST, out=matrix)


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(
        (types.is_numeric_dtype(column) or types.is_bool_dtype(column))
        and not types.is_complex_dtype(column)
    )
