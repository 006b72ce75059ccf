"""The watch gives every file that is whole, once, and no other."""

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.live.landing_watch import LandingWatch


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing" / "events").mkdir(parents=True)
    return tmp_path / "landing"


@pytest.fixture
def watch(landing: Path) -> Iterator[LandingWatch]:
    watch = LandingWatch(landing, settle_seconds=0.6)
    assert watch.look() == []
    yield watch
    watch.close()


def _seen(watch: LandingWatch, seconds: float = 2.0) -> list[str]:
    """What it gives until it has been silent for a while."""
    names: list[str] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        names += [file.name for file in watch.look()]
    return names


def test_a_whole_file_is_given_at_once_and_one_that_grows_when_it_rests(
    landing: Path, watch: LandingWatch
) -> None:
    pq.write_table(pa.table({"event_id": ["1"]}), landing / "events" / "whole.parquet")
    assert "events/whole.parquet" in [file.name for file in watch.look()]
    growing = landing / "events" / "growing.jsonl"
    with growing.open("w") as stream:
        for number in range(3):
            stream.write(f'{{"event_id": "{number}"}}\n')
            stream.flush()
            assert watch.look() == []
    assert _seen(watch) == ["events/growing.jsonl"]


def test_a_new_hours_files_are_given_and_hidden_and_foreign_ones_are_not(
    landing: Path, watch: LandingWatch
) -> None:
    hour = landing / "orders" / "arrived=2026-01-31T09"
    hour.mkdir(parents=True)
    (hour / "a.jsonl").write_text("{}\n")
    (hour / ".hidden.jsonl").write_text("{}\n")
    (hour / "half.jsonl.part").write_text("{}\n")
    (landing / "evnets").mkdir()
    (landing / "evnets" / "b.jsonl").write_text("{}\n")
    renamed = hour / ".draft"
    renamed.write_text("{}\n")
    renamed.replace(hour / "collector-c.jsonl")
    (landing / "events" / "gone.jsonl").write_text("{}\n")
    (landing / "events" / "gone.jsonl").unlink()
    found = _seen(watch)
    assert sorted(found) == [
        "orders/arrived=2026-01-31T09/a.jsonl",
        "orders/arrived=2026-01-31T09/collector-c.jsonl",
    ]


def test_half_a_parquet_file_is_not_whole(landing: Path, watch: LandingWatch) -> None:
    whole = landing.parent / "whole.parquet"
    pq.write_table(pa.table({"event_id": ["1"] * 1_000}), whole)
    (landing / "events" / "half.parquet").write_bytes(whole.read_bytes()[:-9])
    assert watch.look() == []
    assert _seen(watch) == ["events/half.parquet"]  # left to itself, it is for the quarantine
