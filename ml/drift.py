"""Drift and quality of feature tables, by Evidently, on seeded samples.

Evidently's import takes 3 to 6 s, once per process; a drift report of 53 columns, 10,000 rows a
side, 4 to 7 s (measured on 2 shared cores), and its HTML is about 7 MB.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from ml.samples import MOST_CATEGORIES, evidently_dataset, sampled, shared_columns

SMALL = 1000
"""Up to this many rows Evidently compares by p-value, above by distance."""
DISTANCE = 0.1
FALSE_ALARM = 0.05
"""Chance that any column is flagged by luck in a small sample (Bonferroni over columns)."""


@dataclass(frozen=True)
class DriftResult:
    """What moved between a reference and the present.

    Attributes
    ----------
    share_drifted : float
        Drifted columns over compared columns; 0 where none could be compared.
    columns : DataFrame
        One row per compared column: ``column``, ``method``, ``score``, ``threshold``,
        ``drifted``, ``reference_nulls``, ``current_nulls`` (shares of rows).
    left_out : dict of str to str
        Columns that could not be compared, with the reason.
    reference_rows, current_rows : int
        Rows compared, after sampling.
    html : str
        Evidently's report; it needs no network. Empty where nothing could be compared.
    """

    share_drifted: float
    columns: pd.DataFrame
    left_out: dict[str, str]
    reference_rows: int
    current_rows: int
    html: str = field(repr=False)

    @property
    def drifted(self) -> list[str]:
        """Names of the drifted columns."""
        return [str(name) for name in self.columns.loc[self.columns["drifted"], "column"]]

    def save_html(self, path: Path) -> None:
        """Write the report to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html, encoding="utf-8")


def drift_report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str] | None = None,
    *,
    seed: int = 0,
    sample: int = 10_000,
) -> DriftResult:
    """Compare the distribution of columns between two tables.

    Numeric columns are compared by the Wasserstein distance in reference standard deviations
    (Kolmogorov-Smirnov up to 1,000 rows), others by the Jensen-Shannon distance (chi-squared).
    Nulls are left out of the comparison; their shares are reported beside it.

    Parameters
    ----------
    reference, current : DataFrame
        Such as the training rows and the rows scored today.
    columns : sequence of str, optional
        Default: the columns that both have.
    seed, sample : int
        Seed and size of the sample of each table.

    Returns
    -------
    DriftResult

    Raises
    ------
    KeyError
        A named column is missing in one of the tables.
    ValueError
        A table has no rows.
    """
    names = shared_columns(reference, current, columns)
    for role, table in (("reference", reference), ("current", current)):
        if table.empty:
            raise ValueError(f"the {role} table has no rows: nothing to compare")
    before = sampled(reference[names], sample, seed)
    # Different seeds, so that equal tables do not give equal samples.
    after = sampled(current[names], sample, seed + 1)
    kept, left_out = _comparable(before, after)
    if not kept:
        empty = pd.DataFrame(columns=_COLUMNS).astype({"drifted": bool})
        return DriftResult(0.0, empty, left_out, len(before), len(after), "")

    from evidently import Report
    from evidently.presets import DataDriftPreset

    small = len(before) <= SMALL
    threshold = FALSE_ALARM / len(kept) if small else DISTANCE
    preset = DataDriftPreset(
        columns=kept,
        num_method="ks" if small else "wasserstein",
        cat_method=_chisquare_of_two_samples() if small else "jensenshannon",
        num_threshold=threshold,
        cat_threshold=threshold,
    )
    with warnings.catch_warnings():
        # Ties make SciPy take the asymptotic p-value, and a constant has no density to draw.
        warnings.simplefilter("ignore", RuntimeWarning)
        snapshot = Report([preset]).run(
            evidently_dataset(after, kept), evidently_dataset(before, kept)
        )
    scores = {
        str(metric["config"]["column"]): (str(metric["config"]["method"]), float(metric["value"]))
        for metric in snapshot.dict()["metrics"]
        if "ValueDrift" in metric["config"]["type"]
    }
    rows = []
    for name in kept:
        method, score = scores[name]
        drifted = score < threshold if small else score >= threshold
        nulls = (float(before[name].isna().mean()), float(after[name].isna().mean()))
        rows.append((name, method, score, threshold, bool(drifted), *nulls))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return DriftResult(
        share_drifted=float(table["drifted"].mean()),
        columns=table,
        left_out=left_out,
        reference_rows=len(before),
        current_rows=len(after),
        html=str(snapshot.get_html_str(as_iframe=False)),
    )


def _chisquare_of_two_samples() -> Any:
    """Chi-squared test of both samples' counts.

    Evidently's own takes the reference's shares for certain, and so flags too much when that is a
    small sample itself.
    """
    from evidently.legacy.calculations.stattests.registry import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    test = StatTest(
        name="chisquare_of_two_samples",
        display_name="chi-square p-value",
        allowed_feature_types=[ColumnType.Categorical],
    )
    register_stattest(test, default_impl=_chisquare)
    return test


def _chisquare(
    reference: pd.Series, current: pd.Series, feature_type: object, threshold: float
) -> tuple[float, bool]:
    from scipy.stats import chi2_contingency

    counts = pd.concat([reference.value_counts(), current.value_counts()], axis=1).fillna(0)
    p_value = float(chi2_contingency(counts.to_numpy().T, correction=False).pvalue)
    return p_value, p_value < threshold


_COLUMNS = [
    "column",
    "method",
    "score",
    "threshold",
    "drifted",
    "reference_nulls",
    "current_nulls",
]


def _comparable(before: pd.DataFrame, after: pd.DataFrame) -> tuple[list[str], dict[str, str]]:
    kept: list[str] = []
    left_out: dict[str, str] = {}
    for name in before.columns:
        reason = _unfit(before[name], after[name])
        if reason:
            left_out[str(name)] = reason
        else:
            kept.append(str(name))
    return kept, left_out


def _unfit(before: pd.Series, after: pd.Series) -> str:
    if before.isna().all() or after.isna().all():
        where = [r for r, c in (("reference", before), ("current", after)) if c.isna().all()]
        return f"all null in {' and '.join(where)}"
    numeric = types.is_numeric_dtype(before.dtype)
    if numeric != types.is_numeric_dtype(after.dtype):
        return f"type changed from {before.dtype} to {after.dtype}"
    if types.is_datetime64_any_dtype(before.dtype):
        return "a time, not a measure"
    both = pd.concat([before.dropna(), after.dropna()])
    distinct = both.nunique() if numeric else both.astype(str).nunique()
    if distinct == 1:
        return "the same constant in both"
    if not numeric and distinct > MOST_CATEGORIES:
        return f"{distinct} categories, more than {MOST_CATEGORIES}"
    return ""
