"""Drift is flagged where it was planted, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.drift import DriftResult, drift_report
from ml.quality import quality_report


def table(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "spend": rng.lognormal(3, 1, rows),
            "orders": rng.poisson(2, rows),
            "country": rng.choice(["UK", "FR", "DE"], rows),
            "gaps": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
            "nothing": np.full(rows, np.nan),
            "always": 1.0,
        }
    )


@pytest.fixture(scope="module")
def shifted() -> DriftResult:
    current = table(1500, 2)
    current["spend"] *= 3
    return drift_report(table(1500, 1), current)


def test_planted_shift_is_flagged_alone(shifted: DriftResult) -> None:
    assert shifted.drifted == ["spend"]
    assert shifted.share_drifted == pytest.approx(1 / 4)


@pytest.mark.parametrize("rows", [300, 1500])
def test_resample_of_the_same_data_is_not_flagged(rows: int) -> None:
    reference = table(rows, 1)
    again = reference.sample(rows, replace=True, random_state=7)
    assert drift_report(reference, again).drifted == []


def test_shift_in_a_small_table_is_flagged() -> None:
    current = table(300, 2).assign(country="UK")
    assert drift_report(table(300, 1), current).drifted == ["country"]


def test_columns_that_cannot_be_compared_are_left_out_with_reason(shifted: DriftResult) -> None:
    assert shifted.left_out == {
        "nothing": "all null in reference and current",
        "always": "the same constant in both",
    }


def test_nothing_to_compare_is_no_drift() -> None:
    result = drift_report(table(20, 1), table(20, 2), ["nothing", "always"])
    assert result.share_drifted == 0
    assert result.columns.empty
    assert result.html == ""


def test_constant_that_starts_to_vary_is_flagged() -> None:
    current = table(1500, 2).assign(always=np.arange(1500) % 5)
    assert drift_report(table(1500, 1), current, ["always"]).drifted == ["always"]


def test_report_needs_no_network(shifted: DriftResult, tmp_path: Path) -> None:
    shifted.save_html(tmp_path / "reports" / "drift.html")
    text = (tmp_path / "reports" / "drift.html").read_text(encoding="utf-8")
    assert "<html" in text
    assert not re.findall(r"<(?:script|img|iframe)[^>]+src=[\"']?https?:", text)
    assert not re.findall(r"<link[^>]+href=[\"']?https?:", text)


def test_same_seed_gives_the_same_scores() -> None:
    reference, current = table(3000, 1), table(3000, 2)
    first = drift_report(reference, current, ["spend"], seed=4, sample=1200)
    again = drift_report(reference, current, ["spend"], seed=4, sample=1200)
    other = drift_report(reference, current, ["spend"], seed=5, sample=1200)
    pd.testing.assert_frame_equal(first.columns, again.columns)
    assert first.reference_rows == 1200
    assert first.columns["score"].item() != other.columns["score"].item()


def test_missing_column_and_empty_table_are_errors() -> None:
    with pytest.raises(KeyError, match="missing in the current table: spend"):
        drift_report(table(9, 1), table(9, 2).drop(columns="spend"), ["spend"])
    with pytest.raises(ValueError, match="current table has no rows"):
        drift_report(table(9, 1), table(9, 2).iloc[:0])


def test_quality_counts_nulls_repeats_and_constants() -> None:
    current = table(200, 1)
    current = pd.concat([current, current.head(5)], ignore_index=True)
    result = quality_report(current, table(200, 2))
    assert (result.rows, result.duplicated_rows) == (205, 5)
    assert result.constant_columns == ["always"]
    assert result.empty_columns == ["nothing"]
    nulls = result.columns.set_index("column")["null_share"]
    assert nulls["nothing"] == 1
    assert nulls["spend"] == 0
    assert result.null_share == pytest.approx(nulls.mean())
    assert "<html" in result.html
    assert result.null_shares_markdown().splitlines()[2] == "| nothing | 100.0% |"
    assert "spend" not in result.null_shares_markdown()
