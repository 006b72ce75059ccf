"""Public tables through the same estimators: floors a little under what was measured.

The figures, their protocols and the published ones beside them are in docs/figures.md.
"""

from __future__ import annotations

import pytest

from ml.backtest import Backtest
from tests.ml import tabular_sets
from tests.ml.tabular_sets import DATA, TabularSet

pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")


def figure(found: Backtest, metric: str, model: str = "model") -> float:
    table = found.pooled
    return float(table[(table["model"] == model) & (table["metric"] == metric)]["value"].iloc[0])


@pytest.mark.parametrize(
    ("table", "least_auc", "most_ece"),
    [
        (tabular_sets.TELCO, 0.835, 0.04),
        (tabular_sets.SHOPPERS, 0.81, 0.035),
        (tabular_sets.SHOPPERS_EARLY, 0.71, 0.035),
        (tabular_sets.SHOPPERS_SHUFFLED, 0.92, 0.03),
        pytest.param(tabular_sets.BANK, 0.67, 0.12, marks=pytest.mark.slow),
        pytest.param(tabular_sets.BANK_SHUFFLED, 0.785, 0.015, marks=pytest.mark.slow),
    ],
    ids=["telco", "shoppers", "shoppers early", "shoppers shuffled", "bank", "bank shuffled"],
)
def test_later_rows_are_predicted_as_well_as_measured(
    table: TabularSet, least_auc: float, most_ece: float
) -> None:
    found = table.judged()
    assert figure(found, "roc_auc") > least_auc
    assert figure(found, "roc_auc") > figure(found, "roc_auc", "recency")
    assert figure(found, "ece") < most_ece


def test_the_adapter_hides_what_must_not_be_known_and_cuts_by_time() -> None:
    early, whole = (table.frame() for table in (tabular_sets.SHOPPERS_EARLY, tabular_sets.SHOPPERS))
    assert set(whole.columns) - set(early.columns) == {"PageValues"}
    assert not [name for name in tabular_sets.BANK.frame().columns if "duration" in name]
    for frame in (early, whole):
        assert frame["as_of"].is_monotonic_increasing
        assert frame["as_of"].nunique() == tabular_sets.DATES
        assert set(frame["label"]) == {0, 1}
