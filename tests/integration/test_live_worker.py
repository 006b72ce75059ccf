"""The live worker on a demo: a drop is scored, a successor takes over, a kill loses nothing."""

import time
from pathlib import Path

import pytest

from ml.text_minilm import is_installed
from orchestration.lake import Lake
from orchestration.live.catch_up import catch_up
from orchestration.live.heartbeat import read_heartbeat
from orchestration.live.post import Post
from tests.integration.deployment import Deployment
from tests.live.live_process import live_worker


def _event(name: str, ref: str, second: int) -> dict[str, object]:
    return {
        "event_id": name,
        "occurred_at": f"2026-09-29T12:00:{second:02d}Z",
        "event_type": "page_view",
        "customer_ref": ref,
        "channel": "web",
        "page": "/",
    }


def _ticket(ref: str) -> dict[str, object]:
    return {
        "feedback_ref": "live-ticket",
        "posted_at": "2026-09-30T21:00:00Z",
        "body": "Terrible, write to live.planted@example.com.",
        "source_type": "ticket",
        "customer_ref": ref,
    }


def _a_customer(deployment: Deployment) -> tuple[str, str]:
    """Key and ref of one who buys and may be written to; keys differ from home to home."""
    ((key, ref),) = deployment.query(
        "select scores.customer_key, any_value(orders.customer_ref) "
        "from marts.customer_scores as scores "
        "inner join raw.orders on scores.customer_key = orders.customer_key "
        "semi join intermediate.int_message_recipients as recipients "
        "on scores.customer_key = recipients.customer_key "
        "where scores.churn_probability is not null group by 1 order by 1 limit 1"
    )
    return str(key), str(ref)


@pytest.mark.usefixtures("alone")
def test_a_drop_is_scored_and_explained(demo: tuple[Deployment, str], tmp_path: Path) -> None:
    deployment, _ = demo
    key, ref = _a_customer(deployment)
    post = Post(deployment.values.live_home)
    with live_worker(deployment.environment, tmp_path, "first") as worker:
        worker.wait_for("log")
        assert post.is_held()
        deployment.drop("live_0.jsonl", [_event("drop-0", ref, 0)])
        (told,) = worker.wait_for("batch")
        assert told["scored"] == 1
        with Lake.from_settings(deployment.values).turn("a step of a run"):
            deployment.drop("live_1.jsonl", [_event("drop-1", ref, 1)])
            time.sleep(2)  # the worker has seen it, and waits
            deployment.drop("live_2.jsonl", [_event("drop-2", ref, 2)])
            time.sleep(1)
        assert worker.wait_for("batch", 2)[1]["received"] == 2
        deployment.drop("live_ticket.jsonl", [_ticket(ref)], "feedback")
        (_, _, read) = worker.wait_for("batch", 3)
        beat = read_heartbeat(deployment.values)
        assert beat is not None
        assert (beat.run_id, beat.batch_id) == ("first", read["batch"])
    assert not post.is_held()
    ((batch, reasons),) = deployment.query(
        f"select batch_id, top_reasons from marts.customer_scores where customer_key = '{key}'"
    )
    assert batch == read["batch"]
    assert isinstance(reasons, list)
    assert reasons
    answers = f"select max(batch_id) from marts.response_scores where customer_key = '{key}'"
    ((before,),) = deployment.query(answers)
    caught_up, scored = catch_up(Lake.from_settings(deployment.values), deployment.values, "test")
    assert caught_up == batch
    assert scored["response_scores"] >= 1
    assert deployment.query(answers) == [(batch,)]
    assert before is None or before < batch
    ((body, score),) = deployment.query(
        "select signals.body, features.mood_last from marts.feedback_signals as signals "
        "inner join marts.customer_features as features using (customer_key) "
        "where feedback_ref = 'live-ticket'"
    )
    assert body == "Terrible, write to [EMAIL]."
    assert not is_installed() or float(str(score)) < 0


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_worker_hands_over_and_dies_without_losing_a_file(
    demo: tuple[Deployment, str], tmp_path: Path
) -> None:
    deployment, _ = demo
    _, ref = _a_customer(deployment)
    with live_worker(deployment.environment, tmp_path, "second") as second:
        second.wait_for("log")
        deployment.drop("live_1.jsonl", [_event("live-1", ref, 1)])
        second.wait_for("batch")
        with live_worker(deployment.environment, tmp_path, "third") as third:
            for number in range(2, 8):  # while one hands over to the other
                deployment.drop(f"live_{number}.jsonl", [_event(f"live-{number}", ref, number)])
                time.sleep(0.5)
            (end,) = second.wait_for("ended")
            assert end["ended"] == "handed over to another worker"
            third.wait_for("log")
            deployment.drop("live_8.jsonl", [_event("live-8", ref, 8)])
            assert _taken(deployment, 8)
            deployment.drop("live_9.jsonl", [_event("live-9", ref, 9)])
            third.kill()
    with live_worker(deployment.environment, tmp_path, "fourth") as fourth:
        fourth.wait_for("log")
        assert _taken(deployment, 9)
    rows = deployment.query(
        "select event_id, count(*) from raw.events where event_id like 'live-%' group by 1"
    )
    assert sorted(rows) == [(f"live-{number}", 1) for number in range(1, 10)]
    ledger = deployment.query(
        "select sum(received), sum(accepted), sum(duplicates) + sum(rejected) "
        "from ops.landed_files where file like 'events/live_%' and file <> 'events/live_0.jsonl'"
    )
    assert ledger == [(9, 9, 0)]


def _taken(deployment: Deployment, events: int) -> bool:
    """Wait until so many events of this test are published."""
    until = time.monotonic() + 240
    count = "select count(*) from raw.events where event_id like 'live-%'"
    while deployment.query(count) != [(events,)]:
        assert time.monotonic() < until, deployment.query(count)
        time.sleep(0.1)
    return True
