"""The same snapshot, code and seed give the same model, whenever and whatever the settings."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from ml.trained import TrainedModel
from orchestration.lake import SnapshotGone
from orchestration.retraining import retrain
from orchestration.settings import settings
from orchestration.training_frame import read_training_frame
from tests.ml.old_records import in_format_1
from tests.orchestration.model_room import ModelRoom, market_frame


def test_an_old_version_is_trained_again_from_its_record(
    room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = market_frame()
    room.hold(frame)
    first = room.challenger()

    # the lake moves on, and so do the settings
    room.hold(frame.assign(orders_lately=frame["noise"], noise=0.0), dates=8)
    monkeypatch.setenv("SHOAL_SEED", "99")
    monkeypatch.setenv("SHOAL_THREADS", "2")
    settings.cache_clear()
    again = retrain(first, room.lake)
    assert again.is_identical, again.lines()
    assert again.changed == {}
    assert "identical" in again.lines()[0]

    # nor does it matter that the version was kept in one file
    kept = TrainedModel.load(first.folder)
    in_format_1(kept, first.folder)
    assert retrain(first, room.lake).is_identical
    kept.save(first.folder)

    # what was tampered with is found
    record = json.loads((first.folder / "model.json").read_text())
    record["model"]["intercept"] += 0.5
    (first.folder / "model.json").write_text(json.dumps(record))
    other = retrain(first, room.lake)
    assert other.differing == ("model.json (model)",)
    assert other.largest_gap > 0.01
    assert "differs in model.json" in other.lines()[0]


def test_an_expired_snapshot_is_named(room: ModelRoom) -> None:
    room.hold(market_frame())
    version = room.challenger()
    room.hold(market_frame(20), dates=8)
    with room.lake.writer("test: expire") as connection:
        connection.execute(
            "call ducklake_expire_snapshots('lake', older_than => ?)",
            [datetime.now(UTC)],
        )
    with pytest.raises(SnapshotGone, match=f"snapshot {version.tags['lake_snapshot']} of the lake"):
        retrain(version, room.lake)


def test_a_frame_read_at_its_snapshot_is_the_one_read_then(room: ModelRoom) -> None:
    room.hold(market_frame(60))
    then, horizon, snapshot = read_training_frame(room.lake, "churn")
    room.hold(market_frame(40, seed=1))
    again, horizon_again, _ = read_training_frame(room.lake, "churn", snapshot)
    assert horizon == horizon_again
    assert list(then.columns) == list(again.columns)
    np.testing.assert_array_equal(then["revenue_90d"], again["revenue_90d"])


def test_a_cap_on_rows_draws_whole_customers_and_a_smaller_one_some_of_the_same(
    room: ModelRoom,
) -> None:
    room.hold(market_frame(60))
    everyone, _, _ = read_training_frame(room.lake, "churn")
    rows_of = everyone["customer_key"].value_counts()
    drawn = set(rows_of.index)
    for cap in (len(everyone), len(everyone) // 2, len(everyone) // 4):
        some, _, _ = read_training_frame(room.lake, "churn", most_rows=cap, seed=1)
        kept = some["customer_key"].value_counts()
        assert cap - rows_of.max() < len(some) <= cap
        assert (kept == rows_of[kept.index]).all()
        assert set(kept.index) <= drawn
        drawn = set(kept.index)
        again, _, _ = read_training_frame(room.lake, "churn", most_rows=len(some), seed=1)
        assert again.equals(some)
    other, _, _ = read_training_frame(room.lake, "churn", most_rows=cap, seed=2)
    assert set(other["customer_key"]) != drawn


def test_a_version_that_learnt_from_some_customers_is_trained_again_from_the_same(
    room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.hold(market_frame())
    monkeypatch.setenv("SHOAL_TRAINING_ROWS", "1000")
    settings.cache_clear()
    version = room.challenger()
    assert TrainedModel.load(version.folder).rows <= 1000 < len(market_frame())
    monkeypatch.delenv("SHOAL_TRAINING_ROWS")
    settings.cache_clear()
    again = retrain(version, room.lake)
    assert again.is_identical, again.lines()
