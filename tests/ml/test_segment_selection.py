"""The choice is the rule's: eligible, stable, useful, then well apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted import noise, planted

from ml.segment_choice import Protocol, choose, pareto
from ml.segments import NoSegments, fit_segments

FAST = Protocol(k_range=(3, 4, 5), bootstraps=2, finalists=1)


def candidates(**columns: list[float]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    blank = {name: [np.nan] * size for name in ("silhouette", "stability", "usefulness")}
    return pd.DataFrame({**blank, **columns})


def test_the_pareto_set_holds_what_nobody_beats() -> None:
    table = candidates(
        silhouette=[0.4, 0.3, 0.3, 0.2],
        stability=[0.7, 0.9, 0.8, 0.9],
        usefulness=[0.1, 0.1, 0.1, 0.3],
    )
    assert pareto(table) == [0, 1, 3]
    assert pareto(table.drop(columns="usefulness").assign(usefulness=np.nan)) == [0, 1]
    assert pareto(table.iloc[[2, 2]].reset_index(drop=True)) == [0, 1]


def test_stability_and_usefulness_come_before_the_silhouette() -> None:
    table = candidates(
        silhouette=[0.6, 0.5, 0.4, 0.3],
        stability=[0.5, 0.85, 0.9, 0.95],
        usefulness=[0.4, 0.1, 0.3, 0.31],
    )
    assert choose(table, Protocol()) == 2
    assert choose(table, Protocol(useful_share=0.2)) == 1
    assert choose(table, Protocol(least_stability=0.93)) == 3
    assert choose(table.assign(usefulness=np.nan), Protocol()) == 1


def test_where_nobody_is_stable_the_most_stable_is_taken() -> None:
    table = candidates(silhouette=[0.6, 0.2, 0.3], stability=[0.3, 0.6, 0.58])
    assert choose(table, Protocol()) == 2


def test_what_is_in_force_stays_unless_another_is_clearly_better() -> None:
    table = candidates(silhouette=[0.40, 0.37, 0.30], stability=[0.9, 0.9, 0.9])
    front, held = table.iloc[[0]], table.iloc[[1]]
    assert choose(front, Protocol(), held) == 1
    assert choose(front, Protocol(), table.iloc[[2]]) == 0
    assert choose(front, Protocol(incumbent_margin=0.01), held) == 0
    assert choose(front, Protocol(), held.assign(stability=0.5)) == 0
    assert choose(front, Protocol(), table.iloc[[0]]) == 0


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    frame = planted()
    outcomes = frame.assign(next_spend=frame["revenue_total"], churned=frame["truth"] == 3)
    return fit_segments(frame, protocol=FAST, outcomes=outcomes, earlier=frame).selection


def test_every_family_is_judged_alike(table: pd.DataFrame) -> None:
    assert set(table["family"]) == set(Protocol().families)
    cheap = ["silhouette", "davies_bouldin", "calinski_harabasz", "smallest_share", "usefulness"]
    assert table[cheap].notna().all(axis=None)
    finalists = table[table["finalist"]]
    assert set(finalists["family"]) == set(Protocol().families)
    assert finalists[["stability", "month_stability"]].notna().all(axis=None)
    assert table.loc[~table["finalist"], "stability"].isna().all()
    assert table["chosen"].sum() == 1
    assert table.loc[table["chosen"], ["eligible", "finalist", "pareto"]].all(axis=None)


def test_planted_groups_win(table: pd.DataFrame) -> None:
    best = table[table["chosen"]].iloc[0]
    assert best["k"] == 4
    assert best["stability"] > 0.98
    assert best["month_stability"] == 1
    assert best["spend_explained"] > 0.8


@pytest.mark.parametrize("family", ["mixture", "hdbscan"])
def test_a_deployment_can_pin_family_and_number(family: str) -> None:
    pinned = Protocol(pinned=family, pinned_k=4, bootstraps=2)
    model = fit_segments(planted(), protocol=pinned)
    assert (model.family, model.k) == (family, 4)
    assert set(model.selection["family"]) == {family}
    assert model.selection.loc[model.selection["chosen"], "stability"].notna().all()


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(ValueError, match="no family is called 'oracle'"):
        Protocol(families=("oracle",))
    with pytest.raises(ValueError, match="k_range"):
        Protocol(k_range=(1, 2))
    with pytest.raises(ValueError, match="neither next_spend nor churned"):
        fit_segments(planted(), protocol=FAST, outcomes=planted())
    with pytest.raises(NoSegments, match="at least 40% each"):
        fit_segments(planted(), protocol=Protocol(families=("kmeans",), smallest_share=0.4))


def test_noise_has_neither_a_silhouette_nor_dense_groups() -> None:
    protocol = Protocol(families=("kmeans", "dbscan"), k_range=(6, 7), bootstraps=4)
    table = fit_segments(noise(), protocol=protocol).selection
    assert table.loc[table["chosen"], "stability"].iloc[0] < 0.9
    assert table.loc[table["chosen"], "silhouette"].iloc[0] < 0.35
    assert not table.loc[table["family"] == "dbscan", "eligible"].any()
