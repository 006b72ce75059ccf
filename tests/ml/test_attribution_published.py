"""Credits beside those of the ChannelAttribution package, and beside a published example.

No page was found that prints results for the package's example data: its manual and site give the
call alone (https://search.r-project.org/CRAN/refmans/ChannelAttribution/html/markov_model.html).
So the figures below were computed by the package itself, version 2.2.5 from PyPI, on Python 3.11:

    python -m venv reference && reference/bin/pip install ChannelAttribution==2.2.5 pandas \
        matplotlib
    heuristic_models(data, "path", "total_conversions", "total_conversion_value")
    markov_model(data, "path", "total_conversions", "total_conversion_value", "total_null",
                 out_more=True, seed=1, conv_par=0.005, ncore=1)
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.attribution import MODELS, attribute, markov, parse_path, removal_effects

DATA = Path(__file__).parents[3] / "shared/data/attribution/channel_paths.parquet"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")

# channel: conversions and value by first, last and linear touch.
PACKAGE = {
    "alpha": (6308, 19121.272356, 8447, 28414.214274, 7574.718594, 24524.709569),
    "beta": (2831, 12235.591744, 989, 3850.020987, 2083.500145, 8954.266717),
    "delta": (1, 6.119000, 5, 10.972000, 1.725000, 4.404050),
    "epsilon": (99, 412.301243, 531, 2202.612289, 272.170438, 1106.270065),
    "eta": (3164, 11909.476213, 4167, 16754.203800, 3539.951157, 13783.497051),
    "gamma": (165, 718.977992, 92, 506.013992, 121.041639, 569.417358),
    "iota": (4606, 19597.261277, 3355, 13487.974271, 3857.096221, 15988.988995),
    "kappa": (74, 305.743250, 230, 1069.384250, 137.964078, 599.747786),
    "lambda": (902, 3735.602165, 1207, 5249.949985, 1035.257572, 4430.316169),
    "mi": (2, 5.273000, 2, 5.273000, 2.222222, 6.081444),
    "theta": (1606, 6652.349347, 653, 2799.091988, 1022.801394, 4295.743619),
    "zeta": (27, 103.004000, 107, 453.260750, 136.551540, 539.528763),
}
PACKAGE_MARKOV = {
    "alpha": (5342.394723, 18776.741652),
    "beta": (2526.360982, 9698.174039),
    "delta": (4.313404, 12.348611),
    "epsilon": (601.819460, 2382.600559),
    "eta": (3334.361175, 12924.108173),
    "gamma": (173.133418, 738.999076),
    "iota": (3891.874229, 14997.373876),
    "kappa": (270.826499, 1112.097252),
    "lambda": (1281.191720, 5145.972335),
    "mi": (2.101402, 6.337082),
    "theta": (1976.036935, 7535.297866),
    "zeta": (380.586052, 1472.921066),
}
# Of the 138 probabilities that markov_model prints, some of each kind.
PACKAGE_STEPS = {
    ("(start)", "alpha"): 0.326360,
    ("(start)", "mi"): 0.000091,
    ("alpha", "(conversion)"): 0.149151,
    ("beta", "eta"): 0.392152,
    ("iota", "alpha"): 0.182666,
    ("delta", "(null)"): 0.404762,
    ("mi", "iota"): 0.466667,
}
WALKS = 12_974_622 / 10
"""Simulated journeys behind its Markov figures: it reports one of ten folds of the last round."""


@pytest.fixture(scope="module")
def paths() -> pd.DataFrame:
    table = pd.read_parquet(DATA).rename(
        columns={
            "total_conversions": "conversions",
            "total_conversion_value": "value",
            "total_null": "nulls",
        }
    )
    return table.assign(path=table["path"].map(parse_path))


@needs_data
@pytest.mark.parametrize("place", [0, 1, 2])
def test_rules_give_the_credits_of_the_package(paths: pd.DataFrame, place: int) -> None:
    name = ("first_touch", "last_touch", "linear")[place]
    credits = MODELS[name](paths).set_index("channel")
    assert list(credits.index) == list(PACKAGE)
    expected = np.array(list(PACKAGE.values()))[:, 2 * place : 2 * place + 2]
    np.testing.assert_allclose(credits[["conversions", "value"]], expected, atol=1e-6, rtol=0)


@needs_data
def test_every_model_keeps_the_totals(paths: pd.DataFrame) -> None:
    totals = attribute(paths).groupby("model")[["conversions", "value"]].sum()
    np.testing.assert_allclose(totals["conversions"], 19785, rtol=0, atol=1e-9)
    np.testing.assert_allclose(totals["value"], paths["value"].sum(), rtol=0, atol=1e-9)


@needs_data
def test_markov_lies_within_the_noise_of_the_simulation(paths: pd.DataFrame) -> None:
    """The package simulates; the tolerance is 5 standard errors of its estimate, per channel.

    A removal effect e is there the share of n simulated conversions that touched the channel, so
    its variance is e (1 - e) / n; for value it grows by the mean square of what a conversion is
    worth over its squared mean. Measured: at most 1.7 standard errors off; for channels with more
    than 100 conversions at most 1.3 % in conversions.
    """
    rate = paths["conversions"].sum() / (paths["conversions"] + paths["nulls"]).sum()
    worth = (paths["value"] / paths["conversions"].clip(lower=1)).to_numpy()
    spread = np.average(worth**2, weights=paths["conversions"]) / (
        np.average(worth, weights=paths["conversions"]) ** 2
    )
    credits, effects = markov(paths), removal_effects(paths)
    for place, (column, growth) in enumerate((("conversions", 1.0), ("value", spread))):
        expected = np.array([PACKAGE_MARKOV[channel][place] for channel in credits["channel"]])
        effect = effects[column].to_numpy()
        error = np.sqrt(growth * effect * (1 - effect) / (WALKS * rate))
        error *= paths[column].sum() / effect.sum()
        assert (np.abs(credits[column] - expected) < 5 * error).all()


@needs_data
def test_markov_equals_deleting_the_channel_from_the_chain_of_the_package(
    paths: pd.DataFrame,
) -> None:
    """The package leaves repeated touches out of its chain; of order 1, no effect depends on it."""
    steps: Counter[tuple[str, str]] = Counter()
    for row in paths.itertuples():
        states = ["(start)", *(channel for channel, _ in groupby(row.path))]
        for before, after in pairwise(states):
            steps[before, after] += row.conversions + row.nulls
        steps[states[-1], "(conversion)"] += row.conversions
        steps[states[-1], "(null)"] += row.nulls
    matrix = pd.Series(steps).unstack(fill_value=0.0).astype(float)
    matrix = matrix.div(matrix.sum(axis=1), axis=0)
    for step, probability in PACKAGE_STEPS.items():
        assert matrix.loc[step] == pytest.approx(probability, abs=5e-7)

    def rate(left: list[str]) -> float:
        walk = np.eye(len(left)) - matrix.reindex(columns=left, fill_value=0).loc[left].to_numpy()
        return float(np.linalg.solve(walk, matrix.loc[left, "(conversion)"].to_numpy())[0])

    channels = list(PACKAGE)
    full = rate(["(start)", *channels])
    lost = [
        1 - rate(["(start)", *(c for c in channels if c != channel)]) / full for channel in channels
    ]
    np.testing.assert_allclose(removal_effects(paths)["conversions"], lost, rtol=0, atol=1e-12)


def test_published_example_of_removal_effects() -> None:
    """Three journeys through C1, C2 and C3: effects 0.5, 1 and 1; credits 0.2, 0.4 and 0.4.

    Source: https://analyzecore.com/2016/08/03/attribution-model-r-part-1/; the figures as in the
    test suite of https://github.com/JesseCastro/markovattribution (test/test.js).
    """
    rows = [("C1 > C2 > C3", 1, 1000.0, 0), ("C1", 0, 0.0, 1), ("C2 > C3", 0, 0.0, 1)]
    paths = pd.DataFrame(rows, columns=["path", "conversions", "value", "nulls"])
    paths["path"] = paths["path"].map(parse_path)
    assert list(removal_effects(paths)["conversions"]) == pytest.approx([0.5, 1, 1])
    assert list(markov(paths)["conversions"]) == pytest.approx([0.2, 0.4, 0.4])
    assert list(markov(paths)["value"]) == pytest.approx([200, 400, 400])


def test_published_example_with_repeated_touches() -> None:
    """Two channels with loops; simulated with 10,000 journeys: A 1.991106, B 1.008894.

    Source: README of https://github.com/jmwoloso/pychattr. Its standard error is about 0.01, so
    the tolerance is 0.03.
    """
    texts = ["A > B > A > B > B > A", "A > B > B > A > A", "A > A"]
    paths = pd.DataFrame({"path": map(parse_path, texts), "conversions": 1, "value": 1.0})
    credits = markov(paths.assign(nulls=0))["conversions"]
    assert list(credits) == pytest.approx([1.991106, 1.008894], abs=0.03)
    assert list(credits) == pytest.approx([2, 1])
