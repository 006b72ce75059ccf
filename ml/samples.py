"""Samples of tables, in the form that Evidently compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api import types

if TYPE_CHECKING:
    from evidently import Dataset

MOST_CATEGORIES = 100
"""A text column with more distinct values is an identifier or free text, not a category."""


def shared_columns(
    reference: pd.DataFrame, current: pd.DataFrame, columns: Sequence[str] | None
) -> list[str]:
    """Return the named columns, or those that both tables have; a missing one is a KeyError."""
    if columns is None:
        return [str(name) for name in reference.columns if name in current.columns]
    for role, table in (("reference", reference), ("current", current)):
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise KeyError(f"missing in the {role} table: {', '.join(missing)}")
    return list(columns)


def sampled(table: pd.DataFrame, sample: int, seed: int) -> pd.DataFrame:
    """Draw at most `sample` rows; numbers become floats, infinite ones null."""
    if len(table) > sample:
        table = table.sample(sample, random_state=seed)
    plain = table.reset_index(drop=True)
    for name in plain.columns:
        if types.is_bool_dtype(plain[name].dtype) or types.is_numeric_dtype(plain[name].dtype):
            values = plain[name].to_numpy(dtype=float, na_value=np.nan)
            plain[name] = np.where(np.isfinite(values), values, np.nan)
    return plain


def evidently_dataset(table: pd.DataFrame, names: list[str]) -> Dataset:
    """Hand columns to Evidently: numbers as measures, all else as categories."""
    from evidently import DataDefinition, Dataset

    numeric = [name for name in names if types.is_numeric_dtype(table[name].dtype)]
    other = [name for name in names if name not in numeric]
    chosen = table[names].astype(dict.fromkeys(other, "object"))
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=other)
    return Dataset.from_pandas(chosen, data_definition=definition)
