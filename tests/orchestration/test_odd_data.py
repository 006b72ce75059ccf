"""Small and odd data: a clear message, the last champion stays, nothing is half written."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml.task import Task
from ml.tasks import TASKS
from ml.trained import TrainedModel
from ml.value import VALUE
from orchestration.champions import FeaturesGone
from orchestration.defs.churn.assets import churn_model
from orchestration.defs.inactivity.assets import inactivity_model
from orchestration.defs.scores.assets import customer_scores
from orchestration.defs.value.assets import value_model
from orchestration.score_claims import check_scores_are_probabilities
from orchestration.score_tables import write_scores
from orchestration.training import train_task
from tests.ml.known_market import DATES, HORIZON
from tests.orchestration.model_room import LOG, NOW, ModelRoom, market_frame

SCHEMAS = ("customer_scores", "score_history")


def score(room: ModelRoom) -> int:
    return write_scores(room.lake, {"churn": room.champion()}, {}, NOW, threads=1)


def written(room: ModelRoom) -> Mapping[str, pd.DataFrame]:
    with room.lake.reader(latest=True) as connection:
        return {
            name: connection.execute(f"from marts.{name} order by all").df() for name in SCHEMAS
        }


def forget_scores(room: ModelRoom) -> None:
    with room.lake.writer("test: score anew") as connection:
        connection.execute("delete from marts.customer_scores")


def assert_active_are_scored(room: ModelRoom, frame: pd.DataFrame) -> None:
    """Whoever bought within twice the horizon has a probability, and nobody else."""
    now = frame[frame["as_of"] == DATES[-1]].set_index("customer_key")
    scores = room.scores().set_index("customer_key")["churn_probability"]
    is_active = now["days_since_last_order"] < 2 * HORIZON
    assert scores.notna().equals(is_active.reindex(scores.index))
    assert scores.dropna().between(0, 1).all()


def one_class(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(label=0)


@pytest.mark.parametrize(
    ("odd", "dates", "words"),
    [
        (lambda frame: frame.head(0), 9, "there is no labelled customer yet"),
        (lambda frame: frame.groupby("as_of").head(8), 9, "8 rows; at least 100 are needed"),
        (one_class, 9, "have one class only (label 0 in all"),
        (lambda frame: frame, 3, "at least 2 are needed (one to fit, one to validate)"),
    ],
    ids=["nobody", "too few customers", "one class", "too short a history"],
)
def test_what_cannot_be_learnt_from_is_said_and_registers_nothing(
    room: ModelRoom, odd: object, dates: int, words: str
) -> None:
    assert callable(odd)
    room.hold(odd(market_frame()), dates)
    trained, said = room.train()
    assert trained is None
    assert words in said["reason"]
    assert room.registry.versions("churn") == []
    assert not (room.values.reports / "models").exists()


@pytest.mark.parametrize(
    "task", [task for task in TASKS.values() if task.is_binary], ids=lambda task: task.name
)
def test_every_probability_says_that_one_class_teaches_nothing(room: ModelRoom, task: Task) -> None:
    room.hold(one_class(market_frame(120)))
    trained, said = train_task(task, room.lake, LOG)
    assert trained is None
    assert "have one class only" in said["reason"]
    assert not said["skipped_as_expected"]


def test_a_task_that_a_source_has_nothing_for_is_skipped_without_a_warning(
    sound: ModelRoom,
) -> None:
    """Whatever champion there is stays: the source may have had orders before."""
    before = sound.champion().version
    with sound.lake.writer("test: nothing to learn churn from") as connection:
        connection.execute("insert into ops.skipped_tasks values ('churn', 'no order', true)")
    result = dg.materialize([churn_model], resources={"lake": sound.lake})
    with sound.lake.writer("test: orders again") as connection:
        connection.execute("delete from ops.skipped_tasks")
    checks = result.get_asset_check_evaluations()
    assert len(checks) == 3
    assert all(check.passed for check in checks)
    assert {check.description for check in checks} == {"not trained: no order"}
    assert sound.champion().version == before
    assert len(sound.registry.versions("churn")) == before.number


def test_inactivity_of_customers_without_an_order_is_learnt_promoted_and_scored(
    room: ModelRoom,
) -> None:
    frame = market_frame().assign(
        days_since_last_event=lambda f: f["days_since_last_order"], days_since_last_order=np.nan
    )
    room.hold(frame)
    result = dg.materialize([inactivity_model, customer_scores], resources={"lake": room.lake})
    assert all(check.passed for check in result.get_asset_check_evaluations())
    now = frame[frame["as_of"] == DATES[-1]].set_index("customer_key")
    scores = room.scores().set_index("customer_key")
    is_active = now["days_since_last_event"] < 2 * HORIZON
    assert scores["inactivity_probability"].notna().equals(is_active.reindex(scores.index))
    assert scores["churn_probability"].isna().all()
    assert set(scores["model_versions"]) == {"inactivity:1"}
    trained = TrainedModel.load(room.registry.version("inactivity", 1).folder)
    assert trained.metric("roc_auc", "recency") > 0.6, "recency of visits is its simplest baseline"


def test_columns_that_say_nothing_or_too_much_do_no_harm(room: ModelRoom) -> None:
    frame = market_frame()
    rng = np.random.default_rng(5)
    odd = frame.assign(
        empty=np.nan,
        constant=7.0,
        huge=np.where(rng.random(len(frame)) < 0.02, 1e308, frame["revenue_90d"]),
        negative=-1e308 * (rng.random(len(frame)) < 0.5),
        endless=np.where(rng.random(len(frame)) < 0.1, np.inf, -np.inf),
        revenue_90d=frame["revenue_90d"] * np.where(rng.random(len(frame)) < 0.01, -1, 1),
    )
    room.hold(odd)
    assert room.decide(room.challenger()).promoted
    assert room.champion().trained().metric("roc_auc") > 0.7
    assert score(room) == len(room.scores()) == 160
    assert_active_are_scored(room, frame)
    with room.lake.reader(latest=True) as connection:
        assert check_scores_are_probabilities(connection).passed


def test_extreme_values_in_a_batch_that_a_sound_champion_scores(sound: ModelRoom) -> None:
    frame = market_frame()
    sound.hold(frame)
    newest = frame["as_of"] == DATES[-1]
    for value in (1e308, -1e308, np.inf, np.nan):
        columns = ["revenue_90d", "order_days_30d", "order_gap_mean", "noise"]
        sound.hold(frame.assign(**{name: frame[name].mask(newest, value) for name in columns}))
        forget_scores(sound)
        assert score(sound) == 160
        assert_active_are_scored(sound, frame)
        assert not sound.scores()["top_reasons"].map(list).map(str).str.contains("nan").any()


def test_a_column_that_appears_changes_no_score(sound: ModelRoom) -> None:
    frame = market_frame()
    sound.hold(frame)
    forget_scores(sound)
    score(sound)
    before = sound.scores()
    sound.hold(frame.assign(new_and_null=np.nan))
    forget_scores(sound)
    assert score(sound) == 160
    pd.testing.assert_frame_equal(sound.scores(), before)


def test_a_column_that_vanishes_is_named_and_the_last_scores_stay(sound: ModelRoom) -> None:
    frame = market_frame()
    sound.hold(frame, dates=8)
    forget_scores(sound)
    score(sound)
    before = written(sound)
    sound.hold(frame.drop(columns=["noise", "order_gap_mean"]))
    with pytest.raises(FeaturesGone) as problem:
        score(sound)
    assert "churn:1 cannot score: marts.customer_features has no" in str(problem.value)
    assert "noise" in str(problem.value)
    assert "order_gap_mean" in str(problem.value)
    assert "the last scores stay. Run training_job" in str(problem.value)
    for name, table in written(sound).items():
        pd.testing.assert_frame_equal(table, before[name])


def test_a_batch_with_nobody_to_score_changes_nothing(sound: ModelRoom) -> None:
    frame = market_frame()
    sound.hold(frame)
    forget_scores(sound)
    assert score(sound) == 160
    before = written(sound)
    assert score(sound) == 0
    for name, table in written(sound).items():
        pd.testing.assert_frame_equal(table, before[name])
    # nobody whom the model may speak of: null, and the reason says so
    long_ago = frame.assign(days_since_last_order=500.0, days_since_last_event=500.0)
    sound.hold(long_ago)
    forget_scores(sound)
    assert score(sound) == 160
    assert sound.scores()["churn_probability"].isna().all()
    assert {tuple(reasons) for reasons in sound.scores()["top_reasons"]} == {
        ("not scored: not active in the last 56 days",)
    }


def test_impossible_values_of_a_label_stop_training_and_no_champion(room: ModelRoom) -> None:
    frame = market_frame()
    room.hold(frame)
    first, _ = train_task(VALUE, room.lake, LOG)
    assert first is not None
    for impossible, words in ((-5.0, "values are below zero"), (1e308, "no spend is")):
        with room.lake.writer("test: an impossible value") as connection:
            connection.execute(
                "update marts.customer_labels set label = ? where task = 'value' and label <> 0",
                [impossible],
            )
        with pytest.raises(ValueError, match=words):
            train_task(VALUE, room.lake, LOG)
    result = dg.materialize([value_model], resources={"lake": room.lake}, raise_on_error=False)
    assert not result.success
    assert [version.number for version in room.registry.versions("value")] == [1]
