"""A group that is served clearly worse is flagged; groups at random are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ml.groups import is_large, judge_groups, merge_small, simple_groups, tenure_band


def predictions(customers: int = 1_500, origins: int = 2, seed: int = 0) -> pd.DataFrame:
    """Calibrated probabilities of customers whose odds are known, at some origins."""
    rng = np.random.default_rng(seed)
    n = customers * origins
    odds = np.tile(rng.normal(0, 1.2, customers), origins) + rng.normal(0, 0.3, n)
    truth = 1 / (1 + np.exp(-odds))
    return pd.DataFrame(
        {
            "customer_key": np.tile([f"c{i:04d}" for i in range(customers)], origins),
            "label": (rng.random(n) < truth).astype(float),
            "model": truth,
            "group": np.tile(rng.choice(list("abcd"), customers), origins),
        }
    )


def flags(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(table["group"], table["flag"], strict=True))


def test_a_group_that_is_ranked_at_random_is_flagged() -> None:
    frame = predictions()
    bad = frame["group"] == "b"
    shuffled = np.random.default_rng(1).permutation(frame.loc[bad, "model"])
    frame.loc[bad, "model"] = shuffled
    found = judge_groups(frame, ["group"], "logit")
    assert flags(found) == {"a": "", "b": "ranking", "c": "", "d": ""}
    row = found.set_index("group").loc["b"]
    assert row["ranking"] == pytest.approx(0.5, abs=0.06)
    assert row["ranking_low"] < row["ranking"] < row["ranking_high"]
    assert row["ranking_difference"] < -0.15


def test_a_group_that_is_promised_too_much_is_flagged() -> None:
    frame = predictions()
    bad = frame["group"] == "c"
    frame.loc[bad, "model"] = frame.loc[bad, "model"] * 0.6
    found = judge_groups(frame, ["group"], "logit")
    assert flags(found) == {"a": "", "b": "", "c": "calibration", "d": ""}
    assert found.set_index("group").loc["c", "calibration"] == pytest.approx(0.6, abs=0.06)


def test_random_groups_are_hardly_ever_flagged() -> None:
    raised = judged = 0
    for seed in range(10):
        frame = predictions(customers=1_200, seed=seed)
        rng = np.random.default_rng(100 + seed)
        names = [f"g{i}" for i in range(5)]
        for dimension in names:
            frame[dimension] = np.tile(rng.choice(list("wxyz"), 1_200), 2)
        found = judge_groups(frame, names, "logit", rounds=100, seed=seed)
        judged += len(found)
        raised += int((found["flag"] != "").sum())
    assert judged == 200
    assert raised / judged <= 0.03


def test_a_group_of_like_customers_ranks_as_sharply_as_it_promises() -> None:
    frame = predictions(customers=4_000)
    alike = frame["model"].between(0.4, 0.6)
    frame["group"] = np.where(alike, "alike", "apart")
    found = judge_groups(frame, ["group"], "logit").set_index("group")
    assert found.loc["alike", "flag"] == "ranking"
    row = found.loc["alike"]
    assert row["ranking_low"] < row["promised"] < row["ranking_high"]
    assert row["promised"] < 0.6 < found.loc["apart", "promised"]


def test_small_groups_are_reported_but_not_judged() -> None:
    frame = predictions()
    frame["group"] = np.where(frame["customer_key"] < "c0060", "few", "many")
    few = frame["group"] == "few"
    frame.loc[few, "model"] = 1 - frame.loc[few, "model"]
    found = judge_groups(frame, ["group"], "logit").set_index("group")
    assert found.loc["few", "flag"] == "too small"
    assert found.loc["few", "rows"] == 120
    assert found.loc["few", "customers"] == 60
    assert np.isfinite(found.loc["few", "ranking"])


def test_values_are_ranked_by_spearman_and_summed() -> None:
    frame = predictions()
    rng = np.random.default_rng(2)
    spend = np.exp(frame["model"] * 3) * rng.lognormal(0, 0.3, len(frame))
    frame["label"] = np.where(rng.random(len(frame)) < 0.5, spend, 0.0)
    frame["model"] = np.exp(frame["model"] * 3) * 0.5
    bad = frame["group"] == "a"
    frame.loc[bad, "model"] = rng.permutation(frame.loc[bad, "model"])
    found = judge_groups(frame, ["group"], "log")
    assert flags(found)["a"] == "ranking"
    assert found["calibration"].between(0.8, 1.2).all()


def test_one_group_for_all_has_nobody_to_be_compared_with() -> None:
    found = judge_groups(predictions().assign(group=None), ["group"], "logit", rounds=20)
    assert found["group"].tolist() == ["unknown"]
    assert found["flag"].tolist() == [""]
    assert np.isnan(found["ranking_difference"].item())


def test_a_group_is_large_by_rows_and_by_both_outcomes_but_a_value_by_buyers() -> None:
    half, nearly_all = np.repeat([0.0, 1.0], 100), np.repeat([0.0, 1.0], [5, 195])
    assert is_large(half, "logit")
    assert not is_large(half[:-1], "logit")
    assert not is_large(nearly_all, "logit")
    assert is_large(nearly_all * 7.5, "log")
    assert not is_large(1 - nearly_all, "log")


def test_simple_groups_are_bands_in_order_and_leave_nobody_out_but_the_unknown() -> None:
    rows = pd.DataFrame(
        {
            "days_since_first_order": [400.0, 10.0, np.nan, 90.0],
            "order_days_total": [5.0, 1.0, 0.0, 2.0],
        },
        index=[7, 7, 3, 1],
    )
    groups = simple_groups(rows)
    assert list(groups) == [
        "tenure under 90 days", "tenure 90 to 364 days", "tenure 365 days or more",
        "order days under 2", "order days 2 to 4", "order days 5 or more",
    ]  # fmt: skip
    assert groups["order days under 2"].tolist() == [False, True, True, False]
    tenure = sum(mask.astype(int) for name, mask in groups.items() if name.startswith("tenure"))
    assert tenure.tolist() == [1, 1, 0, 1]
    assert simple_groups(rows[[]]) == {}


def test_bands_and_the_long_tail() -> None:
    bands = tenure_band(pd.Series([0, 89.9, 90, 364, 365, np.nan]))
    assert bands[:5].tolist() == [
        "under 90 days",
        "under 90 days",
        "90 to 364 days",
        "90 to 364 days",
        "365 days or more",
    ]
    assert pd.isna(bands[5])
    merged = merge_small(pd.Series(["a", "a", "b", "b", "c", None]), most=2)
    assert merged[:5].tolist() == ["a", "a", "b", "b", "other"]
    assert merged.isna().sum() == 1
