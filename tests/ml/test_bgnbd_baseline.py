"""Laws of the BG/NBD baseline beside the models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from buying import purchase_times
from known_market import market

from ml.bgnbd_baseline import bgnbd_scores
from ml.churn import CHURN
from ml.classifier import train
from ml.tasks import TASKS
from ml.value import VALUE

HORIZON, WINDOW, STEP = 28, 56, 14
BoolArray = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def orders() -> list[tuple[str, list[int], float]]:
    """Customer, order days (from the first on) and money spent per order day."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(700):
        first, mean = rng.uniform(0, 150), rng.gamma(4.0, 10.0)
        repeat = purchase_times(rng, rng.gamma(1.0, 1 / 12), rng.beta(0.8, 2.5), 300 - first)
        days = sorted({int(first), *(int(first + time) for time in repeat)})
        found.append((f"c{i:03d}", days, mean))
    return found


def features_at(orders: list[tuple[str, list[int], float]], day: int, *, task: str) -> pd.DataFrame:
    """What is known of those who bought in the window before midnight of a day, and the label."""
    rows = []
    for key, days, mean in orders:
        past = [d for d in days if d < day]
        after = [d for d in days if day <= d < day + HORIZON]
        if past and day - (past[-1] + 0.4) < WINDOW:
            label = mean * len(after) if task == "value" else float(not after)
            row = (key, float(day - past[0]), day - past[-1] - 0.4, float(len(past)))
            recent = mean * sum(d >= day - 90 for d in past)
            rows.append((*row, mean * len(past), recent, label))
    names = ["customer_key", "days_since_first_order", "days_since_last_order", "order_days_total"]
    table = pd.DataFrame(rows, columns=[*names, "revenue_total", "revenue_90d", "label"])
    return table.assign(as_of=pd.Timestamp("2024-01-01") + pd.Timedelta(days=day))


def frame_of(orders: list[tuple[str, list[int], float]], task: str) -> pd.DataFrame:
    parts = [features_at(orders, day, task=task) for day in range(130, 260, STEP)]
    return pd.concat(parts, ignore_index=True)


def roles(frame: pd.DataFrame) -> tuple[BoolArray, BoolArray]:
    cutoff = frame["as_of"].max()
    known = frame["as_of"] + pd.Timedelta(days=HORIZON) <= cutoff
    return known.to_numpy(), (frame["as_of"] == cutoff).to_numpy()


def score(frame: pd.DataFrame, kind: str) -> dict[str, npt.NDArray[np.float64]]:
    known, test = roles(frame)
    label = frame["label"].to_numpy(dtype=float)
    return bgnbd_scores(frame, label, known, test, TASKS[kind], HORIZON)


def test_baselines_stand_beside_the_models(orders: list[tuple[str, list[int], float]]) -> None:
    churn = train(frame_of(orders, "churn"), CHURN, horizon_days=HORIZON, num_threads=1)
    value = train(frame_of(orders, "value"), VALUE, horizon_days=HORIZON, num_threads=1)
    assert churn.metric("roc_auc", "bgnbd") > 0.65
    assert churn.metric("ece", "bgnbd") < 0.1
    assert value.metric("spearman", "bgnbd_spend") > 0.3
    assert 0.8 < value.metric("aggregate_ratio", "bgnbd_spend") < 1.25
    assert {"bgnbd"} < {verdict.baseline for verdict in churn.verdicts}
    assert {"bgnbd_spend"} < {verdict.baseline for verdict in value.verdicts}


def test_churn_and_purchase_complement_each_other(
    orders: list[tuple[str, list[int], float]],
) -> None:
    frame = frame_of(orders, "churn")
    np.testing.assert_allclose(
        score(frame, "churn")["bgnbd"], 1 - score(frame, "purchase")["bgnbd"]
    )


def test_labels_of_the_test_cutoff_are_not_seen(
    orders: list[tuple[str, list[int], float]],
) -> None:
    frame = frame_of(orders, "value")
    known, _ = roles(frame)
    spoilt = frame.assign(label=np.where(known, frame["label"], -1e9))
    np.testing.assert_array_equal(
        score(frame, "value")["bgnbd_spend"], score(spoilt, "value")["bgnbd_spend"]
    )


def test_those_who_left_the_population_still_teach(
    orders: list[tuple[str, list[int], float]],
) -> None:
    """Without them the market looks as if nobody ever left."""
    frame = frame_of(orders, "churn")
    newest = frame[frame["as_of"] == frame["as_of"].max()].reset_index(drop=True)
    assert score(frame, "churn")["bgnbd"].mean() > score(newest, "churn")["bgnbd"].mean() + 0.02


def test_customers_without_an_order_get_the_rate_of_such_customers(
    orders: list[tuple[str, list[int], float]],
) -> None:
    frame = frame_of(orders, "churn").assign(label=lambda f: 1 - f["label"])
    ordered = ["days_since_first_order", "days_since_last_order", "revenue_total"]
    never = (
        frame.groupby("as_of")
        .head(40)
        .assign(customer_key=lambda f: "n" + f["customer_key"], order_days_total=0.0, label=0.0)
    )
    never[ordered] = np.nan
    never.iloc[:10, never.columns.get_loc("label")] = 1.0
    both = pd.concat([frame, never], ignore_index=True)
    known, test = roles(both)
    scores = score(both, "purchase")["bgnbd"]
    silent = both["days_since_last_order"].isna().to_numpy()
    assert scores[silent[test]] == pytest.approx(10 / (known & silent).sum())
    np.testing.assert_allclose(scores[~silent[test]], score(frame, "purchase")["bgnbd"])


def test_other_data_goes_without(orders: list[tuple[str, list[int], float]]) -> None:
    frame = frame_of(orders, "value")
    assert score(frame.drop(columns="revenue_total"), "value") == {}
    assert set(score(frame.drop(columns="revenue_total"), "churn")) == {"bgnbd"}
    once = np.ceil(frame["days_since_last_order"])
    assert score(frame.assign(order_days_total=1.0, days_since_first_order=once), "churn") == {}
    assert "bgnbd" not in train(market(150), CHURN, horizon_days=HORIZON).test_predictions


def test_order_days_that_contradict_the_dates_are_refused(
    orders: list[tuple[str, list[int], float]],
) -> None:
    with pytest.raises(ValueError, match="customers have no repeat purchase but a recency above 0"):
        score(frame_of(orders, "churn").assign(order_days_total=1.0), "churn")
