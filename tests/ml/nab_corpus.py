"""An adapter: the series of the Numenta Anomaly Benchmark that are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml import nab

DATA = Path(__file__).parents[3] / "shared/data/anomaly/nab.parquet"
FIRST_ROWS = 100


@dataclass(frozen=True)
class Series:
    """Values in order, labelled windows, and rows per day as the first rows show it."""

    values: nab.Array
    windows: tuple[tuple[int, int], ...]
    day_rows: int


def nab_corpus() -> dict[str, Series]:
    """Every series, by name."""
    return {str(name): _series(rows) for name, rows in pd.read_parquet(DATA).groupby("series")}


def _series(rows: pd.DataFrame) -> Series:
    step = np.median(np.diff(rows["timestamp"].to_numpy()[:FIRST_ROWS]))
    return Series(
        rows["value"].to_numpy(dtype=np.float64),
        nab.windows_of(rows["in_window"].to_numpy(dtype=bool)),
        int(np.timedelta64(1, "D") / step),
    )
