"""Quality of a feature table: nulls, repeated rows, constant columns; Evidently's summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ml.samples import MOST_CATEGORIES, evidently_dataset, sampled, shared_columns


@dataclass(frozen=True)
class QualityResult:
    """Main figures of a table; counts are over all rows, the report over the sample.

    Attributes
    ----------
    rows, duplicated_rows : int
        Rows, and rows that repeat an earlier one in every column.
    null_share : float
        Null cells over all cells.
    columns : DataFrame
        One row per column: ``column``, ``null_share``, ``distinct``, ``is_constant``,
        ``reference_null_share`` (NaN without reference).
    constant_columns, empty_columns : list of str
        Columns with one distinct value (null not counted), and with none.
    html : str
        Evidently's report; it needs no network.
    """

    rows: int
    duplicated_rows: int
    null_share: float
    columns: pd.DataFrame
    constant_columns: list[str]
    empty_columns: list[str]
    html: str = field(repr=False)

    def save_html(self, path: Path) -> None:
        """Write the report to a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html, encoding="utf-8")


def quality_report(
    current: pd.DataFrame,
    reference: pd.DataFrame | None = None,
    columns: Sequence[str] | None = None,
    *,
    seed: int = 0,
    sample: int = 10_000,
) -> QualityResult:
    """Summarise the quality of a table, beside a reference where there is one.

    Parameters
    ----------
    current : DataFrame
        The table in question; at least one row.
    reference : DataFrame, optional
        An earlier table with the same columns.
    columns : sequence of str, optional
        Default: all columns (of both tables).
    seed, sample : int
        Seed and size of the sample that Evidently's report is drawn from.

    Returns
    -------
    QualityResult

    Raises
    ------
    KeyError
        A named column is missing.
    ValueError
        The table has no rows.
    """
    if current.empty:
        raise ValueError("the current table has no rows: nothing to judge")
    names = shared_columns(current if reference is None else reference, current, columns)
    table = current[names]
    per_column = pd.DataFrame(
        {
            "column": names,
            "null_share": table.isna().mean().to_numpy(),
            "distinct": table.nunique().to_numpy(),
        }
    )
    per_column["is_constant"] = per_column["distinct"] == 1
    per_column["reference_null_share"] = (
        float("nan") if reference is None else reference[names].isna().mean().to_numpy()
    )
    empty = [str(name) for name in per_column.loc[per_column["distinct"] == 0, "column"]]
    return QualityResult(
        rows=len(table),
        duplicated_rows=int(table.duplicated().sum()),
        null_share=float(table.isna().to_numpy().mean()),
        columns=per_column,
        constant_columns=[
            str(name) for name in per_column.loc[per_column["is_constant"], "column"]
        ],
        empty_columns=empty,
        html=_summary(table, reference, empty, seed, sample),
    )


def _summary(
    current: pd.DataFrame, reference: pd.DataFrame | None, empty: list[str], seed: int, sample: int
) -> str:
    from evidently import Report
    from evidently.presets import DataSummaryPreset

    after = sampled(current, sample, seed)
    names = [name for name in after.columns if name not in empty and _is_shown(after[name])]
    before = None
    if reference is not None and not reference.empty:
        before = sampled(reference[list(current.columns)], sample, seed)
        names = [name for name in names if not before[name].isna().all()]
    if not names:
        return ""
    past = None if before is None else evidently_dataset(before, names)
    snapshot = Report([DataSummaryPreset(columns=names)]).run(evidently_dataset(after, names), past)
    return str(snapshot.get_html_str(as_iframe=False))


def _is_shown(column: pd.Series) -> bool:
    """Whether the report can draw a column: no times, no identifiers."""
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    if pd.api.types.is_datetime64_any_dtype(column.dtype) or column.isna().all():
        return False
    return bool(numeric or column.astype(str).nunique() <= MOST_CATEGORIES)
