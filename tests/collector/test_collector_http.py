"""The collector as its clients meet it: a real process, real requests."""

import gzip
import http.client
import json
import resource
import signal
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest
from collector_room import (
    KEY,
    PAYLOADS,
    CollectorProcess,
    basic,
    payload,
    post_as_recorded,
    running,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EVENT = {"event": "Product Viewed", "userId": "user-1"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ENVELOPE = st.sampled_from(["type", "event", "userId", "anonymousId", "messageId", "timestamp"])
CONTENT = st.sampled_from(["properties", "context", "traits", "products", "sentAt", "batch"])
COLUMNS = st.sampled_from(["event_type", "occurred_at", "order_ref", "customer_ref", "writeKey"])
KINDS = ["track", "page", "identify", "group", "alias", "batch", "events", "customers", "orders"]
LIKE_MESSAGES = st.dictionaries(
    ENVELOPE | CONTENT | COLUMNS,
    st.sampled_from(["track", "identify", "Order Completed", "2024-01-01T00:00:00Z", "u", {}])
    | JSON_VALUES,
    max_size=8,
)


def counts(collector: CollectorProcess) -> dict[str, int]:
    """Counts since the start; none is missing."""
    return {"received": 0, "accepted": 0, "rejected": 0, **collector.health()["counts"]}


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_requests_of_public_libraries_are_taken_as_they_come(
    collector: CollectorProcess, name: str
) -> None:
    before = counts(collector)
    messages = 0
    for request in payload(name):
        answer = post_as_recorded(collector, request)
        assert (answer.status, answer.body) == (200, {"success": True})
        messages += len(request["body"].get("batch", [1]))
    after = counts(collector)
    assert after["accepted"] - before["accepted"] == messages
    assert after["rejected"] == before["rejected"]


def test_a_key_counts_as_user_name_bearer_address_or_in_the_body(
    collector: CollectorProcess,
) -> None:
    bearer = {"Authorization": f"Bearer {KEY}"}
    assert collector.post("/v1/track", EVENT).status == 200
    assert collector.post("/v1/track", EVENT, key=None, headers=bearer).status == 200
    assert collector.post("/v1/track", {**EVENT, "writeKey": KEY}, key=None).status == 200
    assert collector.post(f"/v1/track?writeKey={KEY}", EVENT, key=None).status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, EVENT),
        ({}, {**EVENT, "writeKey": KEY + "x"}),
        ({}, {**EVENT, "writeKey": None}),
        ({}, [KEY]),
        ({"Authorization": basic("other")}, {**EVENT, "writeKey": KEY}),
        ({"Authorization": f"Bearer {KEY[:-1]}"}, EVENT),
        ({"Authorization": "Basic %%%"}, EVENT),
        ({"Authorization": "Basic"}, EVENT),
        ({"Authorization": "Digest x"}, EVENT),
    ],
)
def test_without_the_right_key_nothing_is_taken(
    collector: CollectorProcess, headers: dict[str, str], body: Any
) -> None:
    before = counts(collector)["received"]
    answer = collector.post("/v1/track", body, key=None, headers=headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Basic")
    assert counts(collector)["received"] == before


def test_an_answer_means_that_the_rows_are_on_disk(collector: CollectorProcess) -> None:
    mark = {**EVENT, "messageId": "on-disk-1"}
    assert collector.post("/v1/track", mark).status == 200
    places = [*collector.home.glob("collector/journal/*"), *collector.landing.rglob("*.jsonl")]
    held = b""
    for place in places:
        moved = next(collector.landing.rglob(f"*{place.name.partition('.')[2]}"), place)
        held += (place if place.exists() else moved).read_bytes()
    assert b"on-disk-1" in held


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("/v1/track", b"{", {}, 400),
        ("/v1/track", b'{"event": "\\ud800"}', {}, 400),
        ("/v1/track", b"\xff", {}, 400),
        ("/v1/track", b"", {}, 400),
        ("/v1/track", b"[" * 20_000, {}, 400),
        ("/v1/track", b"x" * 32_001, {}, 413),
        ("/v1/batch", b"x" * 500_001, {}, 413),
        ("/v1/batch", {"batch": [{}] * 1_001}, {}, 413),
        ("/v1/batch", {"batch": "x"}, {}, 400),
        ("/v1/batch", {"messages": []}, {}, 400),
        ("/v1/batch", b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (
            "/v1/batch",
            gzip.compress(b'{"batch": []}', mtime=0)[:-3],
            {"Content-Encoding": "gzip"},
            400,
        ),
        (
            "/v1/batch",
            gzip.compress(b" " * 100_000_000, 1, mtime=0),
            {"Content-Encoding": "gzip"},
            413,
        ),
        ("/v1/batch", zlib.compress(b"{}"), {"Content-Encoding": "deflate"}, 415),
        ("/v1/track", b"<event/>", {"Content-Type": "application/xml"}, 415),
        ("/v1/nothing", EVENT, {}, 404),
    ],
)
def test_what_cannot_be_read_is_refused_whole(
    collector: CollectorProcess, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    before = counts(collector)["received"]
    answer = collector.post(path, body, headers=headers)
    assert answer.status == status
    if status != 404:
        assert answer.body["success"] is False
        assert answer.body["reason"]
    assert counts(collector)["received"] == before


def test_a_body_without_a_length_is_limited_too(collector: CollectorProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=30)
    headers = {"Authorization": basic(KEY), "Content-Type": "application/json"}
    parts = (b" " * 1_000 for _ in range(40))
    connection.request("POST", "/v1/track", parts, headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_of_a_batch_the_good_ones_are_taken_and_the_bad_ones_named(
    collector: CollectorProcess,
) -> None:
    before = counts(collector)
    good = {**EVENT, "type": "track"}
    answer = collector.post("/v1/batch", {"batch": [good, {"type": "track"}, good, 7]})
    assert answer.status == 200
    assert [answer.body[name] for name in ("received", "accepted", "rejected")] == [4, 2, 2]
    assert answer.body["errors"] == [
        {"index": 1, "reason": "event: missing, a track has to have it"},
        {"index": 3, "reason": "row: is no JSON object"},
    ]
    after = counts(collector)
    assert after["received"] - before["received"] == 4
    assert after["rejected"] - before["rejected"] == 2


def test_nothing_good_at_all_is_a_bad_request(collector: CollectorProcess) -> None:
    answer = collector.post("/v1/batch", {"batch": [{"type": "track"}]})
    assert (answer.status, answer.body["success"], answer.body["accepted"]) == (400, False, 0)
    assert collector.post("/v1/track", {"event": "x"}).status == 400
    assert collector.post("/v1/batch", {"batch": []}).status == 200


def test_the_context_of_a_batch_is_that_of_its_messages(tmp_path: Path) -> None:
    with running(tmp_path / "home") as process:
        message = {**EVENT, "type": "track", "context": {"locale": "nl-NL"}}
        shared = {"library": {"name": "analytics.js"}, "locale": "en-GB"}
        process.post("/v1/batch", {"batch": [message], "context": shared})
        process.stop()
        (event,) = process.landed()
        assert event["channel"] == "web"
        assert event["properties"]["context"]["locale"] == "nl-NL"


def test_canonical_rows_come_alone_in_lists_and_in_batches(collector: CollectorProcess) -> None:
    product = {"product_ref": "p1", "name": "Monopoly"}
    for body in (product, [product, product], {"batch": [product], "writeKey": KEY}):
        assert collector.post("/v1/products", body).status == 200
    assert collector.post("/v1/products", {**product, "writeKey": KEY}, key=None).status == 200
    assert collector.post("/v1/products", {"name": "x"}).status == 400


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kind=st.sampled_from(KINDS), body=LIKE_MESSAGES | JSON_VALUES, batched=st.booleans())
def test_no_json_is_a_fault_of_the_collector(
    collector: CollectorProcess, kind: str, body: Any, batched: bool
) -> None:
    body = {"batch": [body]} if batched else body
    answer = collector.post(f"/v1/{kind}", json.dumps(body, allow_nan=True).encode())
    assert answer.status in (200, 400)


def test_browsers_of_any_page_may_send(collector: CollectorProcess) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,anonymousid",
    }
    answer = collector.send("OPTIONS", "/v1/track", headers=asked)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"


def test_only_the_pages_named_may_send_where_some_are(tmp_path: Path) -> None:
    with running(tmp_path / "home", SHOAL_COLLECTOR_ORIGINS="https://a.example") as process:
        for origin, allowed in (("https://a.example", True), ("https://b.example", False)):
            answer = process.post("/v1/track", EVENT, headers={"Origin": origin})
            assert ("access-control-allow-origin" in answer.headers) is allowed


def test_a_full_queue_and_a_full_disk_turn_requests_away(tmp_path: Path) -> None:
    with running(tmp_path / "home", SHOAL_COLLECTOR_QUEUE_MB="0.0001") as process:
        assert process.post("/v1/track", EVENT).status == 200
        answer = process.post("/v1/track", {**EVENT, "properties": {"a": "x" * 200}})
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        assert process.health()["queue"] == {"requests": 0, "bytes": 0}
        assert process.post("/v1/track", EVENT).status == 200
        process.end()
        process.settings["SHOAL_COLLECTOR_MIN_FREE_MB"] = "1e12"
        process.start()
        answer = process.post("/v1/track", EVENT)
        assert (answer.status, answer.headers["retry-after"]) == (429, "30")


def test_what_the_disk_refuses_is_not_acknowledged_and_not_kept(tmp_path: Path) -> None:
    with running(tmp_path / "home", SHOAL_COLLECTOR_ROLL_SECONDS="3600") as process:
        assert process.post("/v1/track", {**EVENT, "messageId": "m1"}).status == 200
        unlimited = resource.prlimit(process.worker(), resource.RLIMIT_FSIZE, (3_000, -1))
        large = {**EVENT, "messageId": "m2", "properties": {"a": "x" * 4_000}}
        answer = process.post("/v1/track", large)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert process.health()["status"] == "the last write failed"
        resource.prlimit(process.worker(), resource.RLIMIT_FSIZE, unlimited)
        assert process.post("/v1/track", {**EVENT, "messageId": "m3"}).status == 200
        assert process.health()["status"] == "ok"
        assert process.stop() == 0
        assert [event["event_id"] for event in process.landed()] == ["m1", "m3"]


def test_it_drains_when_told_to_stop(tmp_path: Path) -> None:
    with running(tmp_path / "home", SHOAL_COLLECTOR_ROLL_SECONDS="3600") as process:
        for number in range(3):
            process.post("/v1/track", {**EVENT, "messageId": f"m{number}"})
        assert process.landed() == []
        assert process.stop() == 0
        assert [event["event_id"] for event in process.landed()] == ["m0", "m1", "m2"]
        assert list(process.home.glob("collector/journal/*")) == []


def test_without_a_key_it_refuses_to_start(tmp_path: Path) -> None:
    for keys, named in (("", "SHOAL_COLLECTOR_KEYS is empty"), ("short", "8 characters")):
        process = CollectorProcess(tmp_path / "home", {"SHOAL_COLLECTOR_KEYS": keys})
        assert process.launch().wait(60) == 78
        assert named in process.log


@pytest.mark.slow
def test_a_second_collector_in_a_home_gives_up(tmp_path: Path) -> None:
    with running(tmp_path / "home") as first:
        second = CollectorProcess(first.home)
        assert second.launch().wait(60) == 78
        assert "another collector works in" in first.log
        assert first.post("/v1/track", EVENT).status == 200


@pytest.mark.slow
def test_an_address_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = CollectorProcess(tmp_path / "home", port=taken.getsockname()[1])
        assert process.launch().wait(60) == 78
        assert f"cannot listen on 127.0.0.1:{process.port}" in process.log


def test_a_dead_process_is_replaced_and_a_dead_supervisor_leaves_none(tmp_path: Path) -> None:
    with running(tmp_path / "home") as process:
        first = process.worker()
        process.kill_worker()
        assert process.post("/v1/track", EVENT).status == 200  # waits in the socket's backlog
        assert process.worker() != first
        assert process.supervisor is not None
        process.supervisor.send_signal(signal.SIGKILL)
        process.supervisor.wait(60)
        process.wait_until_gone()
        process.start()
        assert process.post("/v1/track", EVENT).status == 200
