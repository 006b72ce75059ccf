"""Laws of churn, propensity and value models."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from known_market import HORIZON, market
from old_records import in_format_1

from ml.churn import CHURN
from ml.classifier import train
from ml.matrix import FeatureError
from ml.propensity import PURCHASE
from ml.scoring_model import ScoringModel
from ml.splits import NotEnoughHistory
from ml.trained import TrainedModel
from ml.value import VALUE


def test_scores_rise_with_inactivity(trained: TrainedModel, frame: pd.DataFrame) -> None:
    base = frame.head(200)
    mean = [
        trained.predict(base.assign(days_since_last_order=days)).mean() for days in (2, 15, 30, 60)
    ]
    assert np.all(np.diff(mean) > 0)


def test_scores_do_not_follow_noise(trained: TrainedModel, frame: pd.DataFrame) -> None:
    base = frame.head(200)
    low, high = (trained.predict(base.assign(noise=value)).mean() for value in (-1.5, 1.5))
    assert abs(high - low) < 0.06


def test_predictions_are_probabilities(trained: TrainedModel, frame: pd.DataFrame) -> None:
    extreme = frame.head(4).copy()
    extreme["days_since_last_order"] = [0.0, 1e12, np.inf, np.nan]
    scores = trained.predict(extreme)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()


def test_model_beats_recency_and_is_no_worse_than_logistic(trained: TrainedModel) -> None:
    verdicts = {verdict.baseline: verdict.difference.verdict for verdict in trained.verdicts}
    assert verdicts["recency"] == "better"
    assert verdicts["logistic"] != "worse"
    assert trained.metric("ece") < 0.1


def test_shuffled_labels_teach_nothing(frame: pd.DataFrame) -> None:
    shuffled = frame.assign(
        label=np.random.default_rng(9).permutation(frame["label"].to_numpy()),
    )
    auc = train(shuffled, CHURN, horizon_days=HORIZON).metrics.query(
        "model == 'model' and metric == 'roc_auc'"
    )
    assert auc["low"].item() < 0.5 + 0.03
    assert auc["value"].item() < 0.6


def test_test_labels_change_the_production_model_but_not_the_judged_one(
    trained: TrainedModel, frame: pd.DataFrame
) -> None:
    newest = frame["as_of"] == frame["as_of"].max()
    flipped = frame.assign(label=np.where(newest, 1 - frame["label"], frame["label"]))
    other = train(flipped, CHURN, horizon_days=HORIZON)
    np.testing.assert_array_equal(
        other.test_predictions["model"], trained.test_predictions["model"]
    )
    assert other.model.trees != trained.model.trees


def test_same_seed_gives_the_identical_model_whatever_the_row_order(
    trained: TrainedModel, frame: pd.DataFrame
) -> None:
    again = train(frame.sample(frac=1, random_state=1), CHURN, horizon_days=HORIZON)
    assert again.model.trees == trained.model.trees
    assert again.to_json() == trained.to_json()


def test_another_seed_gives_another_model(trained: TrainedModel, frame: pd.DataFrame) -> None:
    assert train(frame, CHURN, horizon_days=HORIZON, seed=1).model.trees != trained.model.trees


def test_saved_model_predicts_identically(
    trained: TrainedModel, frame: pd.DataFrame, tmp_path: Path
) -> None:
    trained.save(tmp_path / "model")
    test_rows = frame[frame["as_of"] == frame["as_of"].max()].sort_values("customer_key")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "evidence.json",
        "judged.txt",
        "model.json",
        "model.txt",
    ]
    for loaded in (
        TrainedModel.load(tmp_path / "model"),
        TrainedModel.from_json(trained.to_json()),
    ):
        np.testing.assert_array_equal(loaded.predict(frame), trained.predict(frame))
        pd.testing.assert_frame_equal(loaded.metrics, trained.metrics)
        pd.testing.assert_frame_equal(loaded.test_predictions, trained.test_predictions)
        assert loaded.verdicts == trained.verdicts
        assert loaded.judged is not None
        np.testing.assert_array_equal(
            loaded.judged.predict(test_rows), trained.test_predictions["model"]
        )
        assert loaded.to_json() == trained.to_json()


def test_scoring_reads_no_evidence(
    trained: TrainedModel, frame: pd.DataFrame, tmp_path: Path
) -> None:
    trained.save(tmp_path)
    for name in ("evidence.json", "judged.txt"):
        (tmp_path / name).unlink()
    loaded = ScoringModel.load(tmp_path)
    assert (loaded.kind, loaded.horizon_days, loaded.spread) == ("churn", HORIZON, None)
    np.testing.assert_array_equal(loaded.predict(frame), trained.predict(frame))
    pd.testing.assert_frame_equal(loaded.importance(), trained.importance())


def test_a_record_from_when_all_was_one_file_is_still_read(
    trained: TrainedModel, frame: pd.DataFrame, tmp_path: Path
) -> None:
    in_format_1(trained, tmp_path)
    assert TrainedModel.load(tmp_path).to_json() == trained.to_json()
    np.testing.assert_array_equal(
        ScoringModel.load(tmp_path).predict(frame), trained.predict(frame)
    )


def test_unknown_format_is_refused(trained: TrainedModel) -> None:
    record = json.loads(trained.to_json()) | {"format": 99}
    with pytest.raises(ValueError, match="format 99"):
        TrainedModel.from_json(json.dumps(record))


def test_missing_feature_is_named(trained: TrainedModel, frame: pd.DataFrame) -> None:
    with pytest.raises(FeatureError, match="missing feature columns: gap_mean, noise"):
        trained.predict(frame.drop(columns=["gap_mean", "noise"]))


def test_text_feature_is_named_with_its_type(trained: TrainedModel, frame: pd.DataFrame) -> None:
    with pytest.raises(FeatureError, match=r"not numeric: noise \(object\)"):
        trained.predict(frame.assign(noise=frame["noise"].astype(str).astype(object)))


def test_nullable_and_boolean_columns_score_like_floats(
    trained: TrainedModel, frame: pd.DataFrame
) -> None:
    nullable = frame.assign(orders_30d=frame["orders_30d"].astype("Int64"))
    np.testing.assert_array_equal(trained.predict(nullable), trained.predict(frame))


def test_rows_need_nothing_of_each_other(trained: TrainedModel, frame: pd.DataFrame) -> None:
    rows = frame.sample(50, random_state=0)
    one_by_one = [trained.predict(rows.iloc[[i]])[0] for i in range(len(rows))]
    np.testing.assert_allclose(trained.predict(rows), one_by_one, rtol=1e-12)
    assert trained.predict(frame.iloc[:0]).shape == (0,)


def test_one_class_raises_not_enough_history(frame: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughHistory, match="one class only"):
        train(frame.assign(label=0), CHURN, horizon_days=HORIZON)


def test_empty_and_constant_features_do_no_harm(frame: pd.DataFrame) -> None:
    wide = market(120).assign(empty=np.nan, constant=7.0)
    model = train(wide, CHURN, horizon_days=HORIZON)
    assert np.isfinite(model.predict(wide)).all()


def test_two_training_dates_are_enough() -> None:
    short = market(200)
    short = short[short["as_of"] <= short["as_of"].unique()[3]]
    model = train(short, CHURN, horizon_days=HORIZON)
    assert len(model.fit_dates) == 1
    assert model.metric("roc_auc") > 0.6


def test_purchase_scores_fall_with_inactivity(frame: pd.DataFrame) -> None:
    model = train(frame.assign(label=1 - frame["label"]), PURCHASE, horizon_days=HORIZON)
    near, far = (
        model.predict(frame.head(200).assign(days_since_last_order=days)).mean() for days in (5, 50)
    )
    assert near > far


def value_frame() -> pd.DataFrame:
    frame = market(300)
    rng = np.random.default_rng(4)
    bought = rng.random(len(frame)) < 0.5
    frame["label"] = np.where(bought, frame["revenue_90d"] * rng.lognormal(0, 0.4, len(frame)), 0)
    return frame


def test_value_follows_the_unit_of_money() -> None:
    frame = value_frame()
    money = ["revenue_90d"]
    pounds = train(frame, VALUE, horizon_days=HORIZON)
    pence = train(frame.assign(label=frame["label"] * 100), VALUE, horizon_days=HORIZON)
    ratio = pence.predict(frame) / pounds.predict(frame)
    np.testing.assert_allclose(ratio, 100, rtol=1e-3)
    doubled = frame.assign(**{name: frame[name] * 2 for name in money})
    assert pounds.predict(doubled).mean() > pounds.predict(frame).mean()
    assert 0.8 < pounds.metric("aggregate_ratio") < 1.25
    assert pounds.metric("gini") > 0.3
