"""The hours of listening: increments equal a rebuild when texts, readings and terms change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest

from tests.dbt.dbt_lake import DbtLake, Row

BEGIN = datetime(2024, 3, 1)
AS_OF = datetime(2024, 3, 12)
CHOSEN = ("--select", "feedback_signals", "feedback_complaints", "listening_hours")
GRAIN = ["posted_hour", "source_type", "term_group", "name"]
NewLake = Callable[[], DbtLake]


@pytest.fixture(scope="module")
def lake(new_lake: NewLake) -> DbtLake:
    """A lake whose first batch has been carried through, with the views."""
    lake = new_lake()
    post(lake, 1)
    lake.set_clock(AS_OF, 1, 1)
    lake.dbt("run", "--select", "+listening_hours", "+share_of_voice", "feedback_complaints")
    return lake


def post(lake: DbtLake, batch: int, count: int = 12) -> None:
    """A batch of texts of few contents, masked, read and searched."""
    rng = np.random.default_rng(batch)
    rows: list[Row] = []
    for i in range(count):
        ref = f"f{batch}_{i}"
        at = BEGIN + timedelta(minutes=int(rng.integers(0, 600)))
        rows.append(
            ("feedback", {"feedback_ref": ref, "posted_at": at, "body": "raw", "batch_id": batch,
                          "source_type": str(rng.choice(["review", "post"]))})
        )  # fmt: skip
        content = f"c{rng.integers(0, 6) + batch}"
        lake.execute(
            "insert into ops.masked_texts values (?, ?, ?, 'text', 'text', false, 'm', ?)",
            [ref, batch, content, batch],
        )
        read(lake, content, float(rng.choice([-0.9, 0.0, 0.8])), batch)
        mention(lake, content, str(rng.choice(["A", "B"])), "v1", batch)
    lake.load(rows)


def read(lake: DbtLake, content: str, score: float, batch: int, reader: str = "r1") -> None:
    """Note how a content is read, unless this reader has read it."""
    sentiment = "negative" if score < -0.3 else "positive" if score > 0.3 else "neutral"
    lake.execute(
        "delete from ops.text_readings where content_hash = ? and reader <> ?", [content, reader]
    )
    lake.execute(
        "insert into ops.text_readings (content_hash, reader, language, sentiment, "
        "sentiment_score, changed_batch_id) select ?, ?, 'en', ?, ?, ? "
        "where ? not in (select content_hash from ops.text_readings)",
        [content, reader, sentiment, score, batch, content],
    )


def mention(lake: DbtLake, content: str, name: str, version: str, batch: int) -> None:
    lake.execute("delete from ops.listening_terms")
    lake.execute("insert into ops.listening_terms values ('brands', 'A', [], null, ?)", [version])
    lake.execute(
        "insert into ops.text_mentions select ?, 'brands', ?, 'a', 1, ?, ? "
        "where ? not in (select content_hash from ops.text_mentions)",
        [content, name, version, batch, content],
    )


def assert_equals_a_rebuild(lake: DbtLake, first: int, last: int) -> None:
    lake.set_clock(AS_OF, first, last)
    lake.dbt("run", *CHOSEN)
    grown = lake.table("marts.listening_hours", GRAIN)
    lake.dbt("run", "--full-refresh", "--select", "feedback_signals", "listening_hours")
    rebuilt = lake.table("marts.listening_hours", GRAIN)
    assert grown.equals(rebuilt)


@pytest.mark.slow
def test_increments_follow_texts_readings_and_terms(lake: DbtLake) -> None:
    post(lake, 2)
    assert_equals_a_rebuild(lake, 2, 2)
    read(lake, "c3", -0.7, 3, reader="r2")  # a model of its own reads an old text in another way
    before = lake.table("marts.listening_hours", GRAIN)
    assert_equals_a_rebuild(lake, 3, 2)
    assert not lake.table("marts.listening_hours", GRAIN).equals(before)
    lake.execute("delete from ops.text_mentions")
    mention(lake, "c4", "C", "v2", 3)
    assert_equals_a_rebuild(lake, 3, 2)
    names = set(lake.table("marts.listening_hours")["name"])
    assert names == {"", "C"}


def test_a_run_without_news_changes_nothing(lake: DbtLake) -> None:
    lake.set_clock(AS_OF, 9, 8)
    before = lake.table("marts.listening_hours", GRAIN)
    lake.dbt("run", *CHOSEN)
    assert lake.table("marts.listening_hours", GRAIN).equals(before)
    voices = lake.table("marts.share_of_voice")
    sums = voices.groupby(["posted_date", "term_group"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1.0)
