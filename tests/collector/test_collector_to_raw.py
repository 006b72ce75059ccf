"""From a request to raw: every message is accounted for, and raw takes what was accepted."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from collector_room import PAYLOADS, CollectorProcess, payload, post_as_recorded, running
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from lake_room import LakeRoom, lake_of

from orchestration.ingestion.entities import ENTITIES


def track(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "x", "userId": "u", "messageId": f"m{number}", **more}


def test_what_is_received_is_accepted_duplicate_or_rejected(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home) as collector:
        for name in sorted(path.stem for path in PAYLOADS.glob("*.json")):
            for request in payload(name):
                assert post_as_recorded(collector, request).status == 200
        again = track(0)
        collector.post("/v1/batch", {"batch": [again, track(1), {"type": "track"}, 7, again]})
        collector.post("/v1/track", again)
        collector.post("/v1/track", {"event": "nobody's"})
        counts = collector.health()["counts"]
        assert collector.stop() == 0
    with lake_of(home) as lake:
        lake.ingest()
        totals = lake.ledger()["events"]
        assert totals["received"] == counts["received"]
        assert totals["rejected"] == counts["rejected"] == 3
        assert totals["duplicates"] == 2
        held = lake.rows("select count(*), count(distinct event_id) from raw.events")
        assert held == [(totals["accepted"], totals["accepted"])]
        rejected = lake.rows("select reasons, payload from ops.rejected_rows order by all")
        assert [reasons for reasons, _ in rejected] == [
            ["row: event: missing, a track has to have it"],
            ["row: is no JSON object"],
            ["row: userId: missing, and so is anonymousId"],
        ]
        assert [json.loads(text) for _, text in rejected][1] == 7
        assert lake.rows("select distinct notes from ops.landed_files") == [([],)]
        assert_order_is_the_shops(lake)


def assert_order_is_the_shops(lake: LakeRoom) -> None:
    """The order of `analytics_python`, sent twice, is there once with its discount."""
    worth = lake.rows(
        "select status, sum(quantity * unit_price - coalesce(discount, 0)) "
        "from raw.orders inner join raw.order_lines using (order_ref) group by all"
    )
    assert worth == [("completed", pytest.approx(25.0))]
    keys = lake.rows("select customer_key, email_key from raw.customers where email is not null")
    assert keys
    assert all(None not in row for row in keys)


TEXTS = st.text(max_size=12) | st.sampled_from([" a ", "\u2028", '"', "\\u0000", "null", "😀"])
NUMBERS = [1e308, -1e308, 1e-320, 2**63, 2**64, -(2**63), 0.1, -0.0, math.pi, "1e400", "0x1f"]
TIMES = ["1970-01-01", "1969-12-31T23:59:59Z", "2024-02-30", "2024-W01-1", "20240101T010101"]
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS | st.sampled_from([*NUMBERS, *TIMES])
# anything JSON, with what two readers of it may take differently
JSON_VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(TEXTS, LEAVES, max_size=2)


def like_rows(entity: str) -> SearchStrategy[dict[str, Any]]:
    columns = ENTITIES[entity].columns
    fitting = {
        "timestamp": st.sampled_from(["2024-05-01T10:00:00+02:00", "2024-05-01"]),
        "date": st.sampled_from(["1990-01-02", "1990-01-02T23:00:00-05:00"]),
        "double": st.sampled_from([1, 2.5, "3.5"]),
        "bigint": st.sampled_from([1, "2"]),
        "boolean": st.sampled_from([True, "no", 1]),
        "json": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "varchar": st.sampled_from(["marketing", "completed"]) | TEXTS,
    }
    return st.fixed_dictionaries(
        {c.name: fitting[c.type] for c in columns if c.required},
        optional={c.name: fitting[c.type] | JSON_VALUES for c in columns if not c.required},
    )


def post_drawn(collector: CollectorProcess, entity: str, rows: list[Any]) -> None:
    text = json.dumps({"batch": rows}, allow_nan=False)
    assert collector.post(f"/v1/{entity}", text.encode()).status in (200, 400)


def drawn(strategy: SearchStrategy[Any], count: int) -> list[Any]:
    """Examples, the same ones each time."""
    found: list[Any] = []

    @seed(6)
    @settings(max_examples=count, database=None, deadline=None, phases=[Phase.generate])
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def test_raw_rejects_nothing_that_the_collector_accepted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    spec_values = st.dictionaries(
        st.sampled_from(["properties", "traits", "context", "timestamp", "event", "sentAt"]),
        JSON_VALUES | st.dictionaries(TEXTS, JSON_VALUES, max_size=3),
    )
    with running(home) as collector:
        for entity in ENTITIES:
            post_drawn(collector, entity, drawn(like_rows(entity), 25))
        kinds = [{"type": "track", "event": "Order Completed"}, {"type": "identify"}]
        for number, more in enumerate(drawn(spec_values, 60)):
            message = {"userId": "u", **more, **kinds[number % 2]}
            collector.post("/v1/batch", {"batch": [message]})
        counts = collector.health()["counts"]
        assert counts["accepted"] > 50
        assert counts["rejected"] > 20
        assert collector.stop() == 0
    with lake_of(home) as lake:
        lake.ingest()
        reasons = lake.rows(
            "select file, reasons, payload from ops.rejected_rows "
            "where not starts_with(reasons[1], 'row: ')"
        )
        assert reasons == []
        assert sum(total["rejected"] for total in lake.ledger().values()) == counts["rejected"]
