"""Scores of messages and open sessions: of promoted models, and gone when they no longer hold."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml.event_task import EventTask
from ml.intent import INTENT
from ml.response import RESPONSE
from orchestration.champions import FeaturesGone
from orchestration.event_score_tables import RESPONSE_SCORES, SESSION_INTENT, ScoreTable
from orchestration.event_scores import write_event_scores
from orchestration.ingestion.schema import create_tables
from orchestration.lake import CARRIES, Lake
from orchestration.phrases import feature_phrases
from orchestration.promotion import challenger_earns_promotion
from orchestration.registry import Registry
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
            "marts.open_sessions": pd.DataFrame({"session_id": ["s7"], "is_due": [True]}),
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


def score(room: ModelRoom, table: ScoreTable) -> int | None:
    return write_event_scores(
        room.lake, Registry(room.values), table, feature_phrases(table.task.name), NOW, 1
    )


def _promote(room: ModelRoom, task: EventTask) -> None:
    trained, said = train_task(task, room.lake, LOG)
    assert trained is not None, said
    decision = challenger_earns_promotion(task, room.lake, LOG, said)
    assert decision.passed, decision.description
    assert (room.values.reports / "models" / f"{task.name}_1_card.md").exists()


def test_without_a_model_nothing_is_scored(room: ModelRoom) -> None:
    assert score(room, RESPONSE_SCORES) is None
    assert score(room, SESSION_INTENT) is None
    assert _scores(room, "response_scores").empty


def test_every_recipient_is_scored_once_per_channel(room: ModelRoom) -> None:
    _promote(room, RESPONSE)
    assert score(room, RESPONSE_SCORES) == len(_scores(room, "message_features"))
    assert score(room, RESPONSE_SCORES) is not None
    scores = _scores(room, "response_scores")
    assert not scores.duplicated(["customer_key", "channel"]).any()
    assert scores["probability"].between(0, 1).all()
    assert scores["probability"].nunique() > 20
    assert set(scores["model_version"]) == {"response:1"}


def test_every_score_has_its_reasons_in_plain_words(room: ModelRoom) -> None:
    scores = _scores(room, "response_scores").set_index("customer_key")
    assert scores["top_reasons"].map(len).between(1, 3).all()
    said = scores["top_reasons"].explode()
    assert said.str.endswith(("(raises)", "(lowers)")).all()
    assert said.str.startswith("reacts to ").any()
    assert not said.str.contains("past_reaction_rate").any()
    rates = _scores(room, "message_features").set_index("customer_key")["past_reaction_rate"]
    for key, direction in ((rates.idxmax(), "raises"), (rates.idxmin(), "lowers")):
        own = [line for line in scores.loc[key, "top_reasons"] if line.startswith("reacts to ")]
        assert own == [own[0]]
        assert own[0].startswith(f"reacts to {rates[key]:.2f} of the messages (typical: ")
        assert own[0].endswith(f"({direction})")


def test_scores_that_an_older_version_left_without_reasons_get_them(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    with room.lake.writer("test: an older home") as connection:
        connection.execute("alter table marts.response_scores drop column top_reasons")
        create_tables(connection)
    assert _scores(room, "response_scores")["top_reasons"].isna().all()
    assert score(room, RESPONSE_SCORES) == len(before)
    columns = ["customer_key", "channel", "probability", "top_reasons"]
    after = _scores(room, "response_scores")[columns].sort_values(columns[:2], ignore_index=True)
    before = before[columns].sort_values(columns[:2], ignore_index=True)
    pd.testing.assert_frame_equal(after, before)


def test_who_says_no_has_no_score_any_more(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    refused = before["customer_key"].iloc[0]
    with room.lake.writer("test: a no") as connection:
        for table in ("marts.message_features", "intermediate.int_message_recipients"):
            connection.execute(f"delete from {table} where customer_key = ?", [refused])
    score(room, RESPONSE_SCORES)
    after = _scores(room, "response_scores")
    assert set(before["customer_key"]) - set(after["customer_key"]) == {refused}


def _score_in_a_run(room: ModelRoom, meanwhile: Callable[[], object]) -> int:
    """Score messages as a step does, while somebody waits for the turn to do something."""

    def other() -> None:
        with room.lake.turn("test: somebody else"):
            meanwhile()

    thread = threading.Thread(target=other)

    @dg.op(required_resource_keys={"lake"})
    def step(context: dg.OpExecutionContext) -> int:
        lake = context.resources.lake
        with lake.reader(latest=True):  # has the turn from here on
            thread.start()
            time.sleep(0.3)
        phrases = feature_phrases(RESPONSE.name)
        registry = Registry(room.values)
        return write_event_scores(lake, registry, RESPONSE_SCORES, phrases, NOW, 1) or 0

    @dg.job(resource_defs={"lake": Lake.from_settings(room.values)}, tags={CARRIES: "batch"})
    def run() -> None:
        step()

    with dg.instance_for_test() as instance:
        scored = run.execute_in_process(instance=instance).output_for_node("step")
    thread.join()
    assert isinstance(scored, int)
    return scored


def _next_batch(room: ModelRoom) -> None:
    with room.lake.writer("test: a batch") as connection:
        connection.execute("update marts.message_features set batch_id = batch_id + 1")


def test_who_says_no_while_a_run_scores_gets_no_score(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    refused = before["customer_key"].iloc[0]

    def says_no() -> None:
        with room.lake.writer("test: a no") as connection:
            for table in ("marts.message_features", "intermediate.int_message_recipients"):
                connection.execute(f"delete from {table} where customer_key = ?", [refused])

    _next_batch(room)
    assert _score_in_a_run(room, says_no) == len(before)
    after = _scores(room, "response_scores")
    assert set(before["customer_key"]) - set(after["customer_key"]) == {refused}
    assert (after["batch_id"] == before["batch_id"].max() + 1).all()


def test_what_is_scored_while_a_run_scores_is_not_replaced_by_older(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")

    def another_batch() -> None:
        _next_batch(room)
        assert score(room, RESPONSE_SCORES) == len(before)

    _next_batch(room)
    _score_in_a_run(room, another_batch)
    after = _scores(room, "response_scores")
    assert len(after) == len(before)
    assert (after["batch_id"] == before["batch_id"].max() + 2).all()


def test_only_open_sessions_have_an_intent(room: ModelRoom) -> None:
    _promote(room, INTENT)
    assert score(room, SESSION_INTENT) == len(_scores(room, "session_features")) > 0
    scores = _scores(room, "session_intent")
    assert set(scores["session_id"]) == {"s7"}
    assert scores["probability"].between(0, 1).all()
    assert set(scores["events"]) == {3}
    reasons = scores["top_reasons"].iloc[0]
    assert 1 <= len(reasons) <= 3
    cart = "yes" if _scores(room, "session_features")["session_has_cart"].iloc[0] else "no"
    assert any(line.startswith(f"something in the cart: {cart} (") for line in reasons)


@pytest.mark.parametrize(
    ("what_happens", "stays"),
    [
        ("update marts.open_sessions set is_due = false", True),
        ("update marts.open_sessions set is_due = true", False),  # an order, so no features
        ("delete from marts.open_sessions", False),
    ],
)
def test_a_session_keeps_its_intent_until_it_is_due_or_over(
    room: ModelRoom, what_happens: str, stays: bool
) -> None:
    assert score(room, SESSION_INTENT) == len(_scores(room, "session_features")) > 0
    with room.lake.writer("test: aside") as connection:
        for table in ("session_features", "open_sessions"):
            connection.execute(f"create table marts.kept_{table} as from marts.{table}")
        connection.execute("delete from marts.session_features")
        connection.execute(what_happens)
    assert score(room, SESSION_INTENT) == 0
    assert _scores(room, "session_intent").empty is not stays
    with room.lake.writer("test: as it was") as connection:
        for table in ("session_features", "open_sessions"):
            connection.execute(f"delete from marts.{table}")
            connection.execute(f"insert into marts.{table} from marts.kept_{table}")
            connection.execute(f"drop table marts.kept_{table}")


def test_a_model_whose_features_are_gone_says_so_and_scores_stay(room: ModelRoom) -> None:
    before = _scores(room, "response_scores")
    with room.lake.writer("test: a column goes") as connection:
        connection.execute("alter table marts.message_features drop column past_reaction_rate")
    with pytest.raises(FeaturesGone, match=r"message_features .* has no past_reaction_rate"):
        score(room, RESPONSE_SCORES)
    pd.testing.assert_frame_equal(before, _scores(room, "response_scores"))


def test_a_source_without_messages_is_a_reason_and_no_failure(room: ModelRoom) -> None:
    with room.lake.writer("test: no messages") as connection:
        connection.execute("delete from marts.message_feature_history")
    trained, said = train_task(RESPONSE, room.lake, LOG)
    assert trained is None
    assert said["skipped_as_expected"]
    assert said["reason"] == "no message to a known customer has landed"
    assert challenger_earns_promotion(RESPONSE, room.lake, LOG, said).passed
