"""What is in force stays unless something is clearly better: groups must not come and go."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from planted import planted

from ml.segments import Protocol, fit_segments

FREE = Protocol(families=("kmeans", "mixture"), k_range=(3, 4, 5), bootstraps=3, finalists=1)


def chosen(protocol: Protocol, customers: pd.DataFrame) -> tuple[str, int]:
    table = fit_segments(customers, protocol=protocol).selection
    row = table[table["chosen"]].iloc[0]
    assert table["chosen"].sum() == 1
    return str(row["family"]), int(row["k"])


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return planted(spread=0.5)


def test_what_is_in_force_stays_where_another_is_hardly_better(customers: pd.DataFrame) -> None:
    free = chosen(FREE, customers)
    other = ("mixture" if free[0] == "kmeans" else "kmeans", free[1])
    assert chosen(replace(FREE, incumbent=other), customers) == other
    assert chosen(replace(FREE, incumbent=free), customers) == free


def test_it_goes_where_another_is_clearly_better(customers: pd.DataFrame) -> None:
    free = chosen(FREE, customers)
    worst = (free[0], 5 if free[1] != 5 else 3)
    strict = replace(FREE, incumbent=worst, incumbent_margin=0.0)
    assert chosen(strict, customers) == free


def test_it_goes_where_it_is_no_longer_eligible_or_tried(customers: pd.DataFrame) -> None:
    free = chosen(FREE, customers)
    for gone in (("ward", free[1]), (free[0], 12)):
        assert chosen(replace(FREE, incumbent=gone), customers) == free
