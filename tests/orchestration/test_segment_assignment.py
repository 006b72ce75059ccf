"""Who is in which segment, who moved and why, and which segments there ever were."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from ml.reasons import Phrase
from ml.segment_model import SegmentModel
from ml.segments import Protocol, fit_segments
from orchestration.lake import Lake
from orchestration.registry import Registry, Version
from orchestration.segment_tables import Assigned, assign_segments
from orchestration.settings import Settings
from tests.ml.planted import GROUPS, planted

PHRASES = {"days_since_last_order": Phrase("days since the last order", unit="days")}
JUNE, JULY = datetime(2026, 6, 1), datetime(2026, 7, 1)


class Room:
    """A lake with customers' features, and a segmentation of them."""

    def __init__(self, lake: Lake, values: Settings, model: SegmentModel) -> None:
        self.lake, self.model = lake, model
        self.registry = Registry(values)
        self.version = Version("segments", 1, Path("."), {})

    def hold(self, features: pd.DataFrame) -> None:
        held = features.drop(columns="truth")  # noqa: F841  (DuckDB reads it by its name)
        with self.lake.writer("test") as connection:
            connection.execute("create or replace table marts.customer_features as from held")

    def assign(self, version: Version | None = None, model: SegmentModel | None = None) -> Assigned:
        return assign_segments(
            self.lake,
            self.registry,
            version or self.version,
            model or self.model,
            PHRASES,
            datetime.now(),
        )

    def query(self, query: str) -> list[tuple[Any, ...]]:
        with self.lake.reader(latest=True) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return planted().assign(as_of=pd.Timestamp(JUNE), batch_id=1)


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> SegmentModel:
    protocol = Protocol(families=("kmeans",), pinned_k=len(GROUPS), bootstraps=1)
    return fit_segments(customers, protocol=protocol)


@pytest.fixture
def room(
    lake: Lake,
    values: Settings,
    model: SegmentModel,
    customers: pd.DataFrame,
    empty_registry: Path,
) -> Room:
    values.registry_store.parent.mkdir(parents=True)
    shutil.copy(empty_registry, values.registry_store)
    made = Room(lake, values, model)
    made.hold(customers)
    return made


def changed(customers: pd.DataFrame, key: str, **features: float) -> pd.DataFrame:
    """The same customers after a batch in which one of them did something."""
    later = customers.copy()
    row = later["customer_key"] == key
    for name, value in {**features, "as_of": pd.Timestamp(JULY), "batch_id": 2}.items():
        later.loc[row, name] = value
    return later


def active(customers: pd.DataFrame) -> str:
    return str(customers.loc[customers["truth"] == 0, "customer_key"].iloc[0])


def test_first_assignments_are_no_moves_and_every_segment_is_listed(
    room: Room, customers: pd.DataFrame
) -> None:
    assert room.assign() == Assigned(len(customers), 0, 0)
    assert room.query("from marts.segment_moves") == []
    listed = room.query(
        "select segment_id, segment_name, colour, born_at, retired_at, model_version, "
        "typical['revenue_total'] from marts.segments order by segment_id"
    )
    assert [row[0] for row in listed] == [0, *room.model.ids]
    assert {row[3:6] for row in listed} == {(JUNE, None, "segments:1")}
    assert listed[0][1] == "browsers without orders"
    assert listed[1][6] > listed[-1][6] > 0
    assert room.query("select distinct first_as_of from marts.customer_segments") == [(JUNE,)]


def test_a_customer_whose_behaviour_changed_moves_in_that_batch_and_the_row_says_why(
    room: Room, customers: pd.DataFrame
) -> None:
    room.assign()
    key = active(customers)
    before = room.query("from marts.customer_segments order by customer_key")
    room.hold(changed(customers, key, days_since_last_order=200.0))
    assert room.assign() == Assigned(1, 1, 1)
    ((moved, from_id, to_id, moved_at, cause, why, batch),) = room.query(
        "select customer_key, from_segment_id, to_segment_id, moved_at, cause, why, batch_id "
        "from marts.segment_moves"
    )
    assert (moved, moved_at, cause, batch) == (key, JULY, "behaviour", 2)
    assert why[0].startswith("days since the last order ")
    assert why[0].endswith(" → 200")
    assert from_id != to_id
    after = room.query("from marts.customer_segments order by customer_key")
    differing = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [row[0] for row in differing] == [key]
    now = (
        f"select segment_id, first_as_of from marts.customer_segments where customer_key = '{key}'"
    )
    assert room.query(now) == [(to_id, JUNE)]


def test_the_same_again_changes_nothing(room: Room, customers: pd.DataFrame) -> None:
    room.assign()
    room.hold(changed(customers, active(customers), days_since_last_order=200.0))
    room.assign()
    tables = [
        f"from marts.{t} order by all" for t in ("customer_segments", "segment_moves", "segments")
    ]
    before = [room.query(table) for table in tables]
    assert room.assign() == Assigned(0, 0, 0)
    assert [room.query(table) for table in tables] == before


def test_a_touched_customer_who_did_not_change_does_not_move(
    room: Room, customers: pd.DataFrame
) -> None:
    room.assign()
    room.hold(changed(customers, active(customers)))
    assert room.assign() == Assigned(1, 0, 0)


def test_a_retired_segment_is_remembered_and_lives_on_after_a_rollback(room: Room) -> None:
    room.assign()
    ids = room.model.ids
    other = room.model.relabelled([*ids[:-1], 9], [*room.model.names[:-1], "another"])
    second = Version("segments", 2, Path("."), {})
    assigned = room.assign(second, other)
    assert assigned.moves > 0
    assert assigned.moves_of_behaviour == 0
    state = "select segment_id, retired_at, model_version from marts.segments order by segment_id"
    assert room.query(state) == [
        (0, None, "segments:2"),
        *((i, None, "segments:2") for i in ids[:-1]),
        (ids[-1], JUNE, "segments:1"),
        (9, None, "segments:2"),
    ]
    room.assign()
    alive = dict(room.query("select segment_id, retired_at from marts.segments"))
    assert alive[ids[-1]] is None
    assert alive[9] == JUNE


def test_who_is_gone_has_no_segment_but_a_past(room: Room, customers: pd.DataFrame) -> None:
    room.assign()
    key = active(customers)
    room.hold(changed(customers, key, days_since_last_order=200.0))
    room.assign()
    room.hold(customers[customers["customer_key"] != key])
    room.assign()
    counted = f"select count(*) from marts.{{}} where customer_key = '{key}'"
    assert room.query(counted.format("customer_segments")) == [(0,)]
    assert room.query(counted.format("segment_moves")) == [(1,)]


def test_moves_and_segments_are_written_together_or_not_at_all(
    room: Room, customers: pd.DataFrame
) -> None:
    room.assign()
    with room.lake.writer("test") as connection:
        connection.execute("drop table marts.segment_moves")
    room.hold(changed(customers, active(customers), days_since_last_order=200.0))
    before = room.query("from marts.customer_segments order by all")
    with pytest.raises(duckdb.CatalogException, match="segment_moves"):
        room.assign()
    assert room.query("from marts.customer_segments order by all") == before


def test_a_segmentation_from_before_there_were_reasons_still_explains_itself(
    room: Room, customers: pd.DataFrame
) -> None:
    room.assign()
    with room.lake.writer("test") as connection:
        connection.execute(
            "update marts.customer_segments set feature_values = null, first_as_of = null"
        )
    room.hold(changed(customers, active(customers), days_since_last_order=200.0))
    assert room.assign() == Assigned(1, 1, 1)
    assert room.query("select why from marts.segment_moves") == [
        (["the features of before are not on record"],)
    ]
