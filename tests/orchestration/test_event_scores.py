"""Scores of messages and open sessions: of promoted models, and gone when they no longer hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.event_task import EventTask
from ml.intent import INTENT
from ml.response import RESPONSE
from orchestration.champions import FeaturesGone
from orchestration.event_score_tables import RESPONSE_SCORES, SESSION_INTENT
from orchestration.event_scores import write_event_scores
from orchestration.promotion import challenger_earns_promotion
from orchestration.training import train_task
from tests.ml.test_event_tasks import END, messages, sessions
from tests.orchestration.model_room import LOG, NOW, ModelRoom, model_room

OF_CUSTOMERS = ["orders", "days_since_first_order"]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, empty_registry: Path) -> Iterator[ModelRoom]:
    """A deployment with the tables around the models of events, and no model yet."""
    with model_room(tmp_path_factory.mktemp("events") / "home", empty_registry) as made:
        sent = messages(2_000)
        sent["features_as_of"] = sent["sent_at"].dt.normalize()
        of_customers = sent[["customer_key", "features_as_of", *OF_CUSTOMERS]]
        points = sessions(2_000)
        now = sent.drop_duplicates("customer_key").assign(as_of=END, batch_id=np.int64(1))
        keys = ["customer_key", "channel", "variant", "as_of", "batch_id"]
        tables = {
            "marts.message_feature_history": sent.drop(columns=OF_CUSTOMERS),
            "marts.message_customer_history": of_customers.rename(
                columns={"features_as_of": "as_of"}
            ).drop_duplicates(["customer_key", "as_of"]),
            "marts.session_feature_history": points,
            "marts.customer_features": now[["customer_key", "as_of", "batch_id", *OF_CUSTOMERS]],
            "marts.message_features": now[
                [*keys, "past_reaction_rate", "sent_by_email", "sent_by_sms"]
            ],
            "marts.session_features": points[points["session_id"] == "s7"].assign(
                customer_key="v1", started_at=END, as_of=END, session_events=3.0
            ),
            "intermediate.int_message_recipients": now[["customer_key"]],
        }
        with made.lake.writer("test: hold events") as connection:
            connection.execute("insert into ops.clock values (?, 'history', 1, 1)", [END])
            for name, frame in tables.items():
                connection.register("fresh", frame)
                connection.execute(f"create table {name} as from fresh")
        yield made


def _scores(room: ModelRoom, table: str) -> pd.DataFrame:
    with room.lake.reader(latest=True) as connection:
        return connection.execute(f"from marts.{table}").df()


def _promote(room: ModelRoom, task: EventTask) -> None:
    trained, said = train_task(task, room.lake, LOG)
    assert trained is not None, said
    decision = challenger_earns_promotion(task, room.lake, LOG, said)
    assert decision.passed, decision.description
    assert (room.values.reports / "models" / f"{task.name}_1_card.md").exists()


def test_without_a_model_nothing_is_scored(room: ModelRoom) -> None:
    assert write_event_scores(room.lake, RESPONSE_SCORES, NOW, 1) is None
    assert write_event_scores(room.lake, SESSION_INTENT, NOW, 1) is None
    assert _scores(room, "response_scores").empty


def test_every_recipient_is_scored_once_per_channel(room: ModelRoom) -> None:
    _promote(room, RESPONSE)
    assert write_event_scores(room.lake, RESPONSE_SCORES, NOW, 1) == len(
        _scores(room, "message_features")
    )
    assert write_event_scores(room.lake, RESPONSE_SCORES, NOW, 1) is not None
    scores = _scores(room, "response_scores")
    assert not scores.duplicated(["customer_key", "channel"]).any()
    assert scores["probability"].between(0, 1).all()
    assert scores["probability"].nunique() > 20
    assert set(scores["model_version"]) == {"response:1"}


def test_who_says_no_has_no_score_any_more(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    refused = before["customer_key"].iloc[0]
    with room.lake.writer("test: a no") as connection:
        for table in ("marts.message_features", "intermediate.int_message_recipients"):
            connection.execute(f"delete from {table} where customer_key = ?", [refused])
    write_event_scores(room.lake, RESPONSE_SCORES, NOW, 1)
    after = _scores(room, "response_scores")
    assert set(before["customer_key"]) - set(after["customer_key"]) == {refused}


def test_only_open_sessions_have_an_intent(room: ModelRoom) -> None:
    _promote(room, INTENT)
    assert (
        write_event_scores(room.lake, SESSION_INTENT, NOW, 1)
        == len(_scores(room, "session_features"))
        > 0
    )
    scores = _scores(room, "session_intent")
    assert set(scores["session_id"]) == {"s7"}
    assert scores["probability"].between(0, 1).all()
    assert set(scores["events"]) == {3}
    with room.lake.writer("test: the session ends") as connection:
        connection.execute("delete from marts.session_features")
    assert write_event_scores(room.lake, SESSION_INTENT, NOW, 1) == 0
    assert _scores(room, "session_intent").empty


def test_a_model_whose_features_are_gone_says_so_and_scores_stay(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    with room.lake.writer("test: a column goes") as connection:
        connection.execute("alter table marts.message_features drop column past_reaction_rate")
    with pytest.raises(FeaturesGone, match=r"message_features .* has no past_reaction_rate"):
        write_event_scores(room.lake, RESPONSE_SCORES, NOW, 1)
    pd.testing.assert_frame_equal(before, _scores(room, "response_scores"))


def test_a_source_without_messages_is_a_reason_and_no_failure(room: ModelRoom) -> None:
    with room.lake.writer("test: no messages") as connection:
        connection.execute("delete from marts.message_feature_history")
    trained, said = train_task(RESPONSE, room.lake, LOG)
    assert trained is None
    assert said["skipped_as_expected"]
    assert said["reason"] == "no message to a known customer has landed"
    assert challenger_earns_promotion(RESPONSE, room.lake, LOG, said).passed
