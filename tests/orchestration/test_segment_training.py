"""Segments found again keep their ids; what was born or retired is said; going back is possible."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from ml.segment_model import SegmentModel
from ml.segments import Protocol, fit_segments
from orchestration.champions import load_segments
from orchestration.cli import app
from orchestration.defs.segments.assets import customer_segments, segment_model
from orchestration.defs.segments.checks import fresh_segments
from orchestration.registry import Version
from orchestration.segment_checks import measure_staleness, segments_are_fresh
from orchestration.segment_material import read_material
from orchestration.settings import settings
from tests.ml.planted import GROUPS, Groups, planted
from tests.orchestration.model_room import ModelRoom, model_room

HOLIDAY = (2, 1, 9000, 120)
JUNE, MAY = pd.Timestamp("2026-06-01"), pd.Timestamp("2026-05-02")


def hold(room: ModelRoom, groups: Groups, seed: int = 0, as_of: pd.Timestamp = JUNE) -> None:
    """Customers of planted groups, now and a month before, and what they did after it."""
    now = planted(seed=seed, groups=groups).drop(columns="truth").assign(as_of=as_of, batch_id=1)
    before = now.drop(columns="batch_id").assign(as_of=MAY)
    labels = pd.concat(  # noqa: F841  (DuckDB reads it by its name)
        before[["customer_key", "as_of"]].assign(task=task, label=label, horizon_days=28)
        for task, label in (("value", before["revenue_total"]), ("churn", 0.0))
    )
    with room.lake.writer("test: hold customers") as connection:
        for table, source in (
            ("customer_features", "now"),
            ("customer_feature_history", "before"),
            ("customer_labels", "labels"),
        ):
            connection.execute(f"create or replace table marts.{table} as from {source}")


def materialize(
    room: ModelRoom, *assets: dg.AssetsDefinition
) -> dict[str, dg.AssetCheckEvaluation]:
    """Materialize and return the checks by name."""
    result = dg.materialize(list(assets), resources={"lake": room.lake})
    assert result.success
    return {check.check_name: check for check in result.get_asset_check_evaluations()}


def in_force(room: ModelRoom) -> tuple[Version, SegmentModel]:
    found = load_segments(room.registry)
    assert found is not None
    return found


@pytest.fixture
def pinned_room(
    tmp_path: Path, empty_registry: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModelRoom]:
    monkeypatch.setenv("SHOAL_SEGMENT_FAMILY", "kmeans")
    with model_room(tmp_path / "home", empty_registry) as room:
        yield room


def count(monkeypatch: pytest.MonkeyPatch, k: int) -> None:
    monkeypatch.setenv("SHOAL_SEGMENT_COUNT", str(k))
    settings.cache_clear()


@pytest.mark.slow
def test_retraining_keeps_identity_says_what_changed_and_can_be_rolled_back(
    pinned_room: ModelRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = pinned_room
    count(monkeypatch, len(GROUPS))
    hold(room, GROUPS)
    checks = materialize(room, segment_model, customer_segments)
    assert all(check.passed for check in checks.values())
    first, before = in_force(room)
    assert before.ids == (1, 2, 3, 4)
    chosen = before.selection.set_index("chosen").loc[True]
    assert {"usefulness", "month_stability"} <= set(chosen.dropna().index)

    hold(room, GROUPS, seed=5)
    assert materialize(room, segment_model, customer_segments)["segments_kept_identity"].passed
    second, same = in_force(room)
    assert (same.ids, same.names, same.colours) == (before.ids, before.names, before.colours)
    assert second.tags["matched_to"] == first.label

    count(monkeypatch, len(GROUPS) + 1)
    hold(room, (*GROUPS, HOLIDAY), seed=5)
    check = materialize(room, segment_model, customer_segments)["segments_kept_identity"]
    assert not check.passed
    assert "segment 5 (" in str(check.description)
    third, more = in_force(room)
    assert sorted(more.ids) == [1, 2, 3, 4, 5]
    assert json.loads(third.tags["born"]) == [5]

    said = CliRunner().invoke(app, ["models", "rollback", "segments", "--reason", "too many"])
    assert said.exit_code == 0, said.output
    materialize(room, customer_segments)
    with room.lake.reader(latest=True) as connection:
        listed = dict(
            connection.execute("select segment_id, retired_at from marts.segments").fetchall()
        )
        assigned = connection.execute(
            "select distinct segment_id from marts.customer_segments order by 1"
        ).fetchall()
    assert listed[5] is not None
    assert [number for (number,) in assigned] == [1, 2, 3, 4]

    # what is born after the rollback is not what was born before it
    materialize(room, segment_model)
    _, again = in_force(room)
    assert sorted(again.ids) == [1, 2, 3, 4, 6]
    assert again.name_of(6) != more.name_of(5)


def test_material_of_a_young_deployment_is_only_what_there_is(room: ModelRoom) -> None:
    hold(room, GROUPS)
    material = read_material(room.lake)
    assert material.as_of == JUNE
    assert material.earlier is not None
    assert material.earlier["as_of"].unique().tolist() == [MAY]
    assert material.outcomes is not None
    assert {"next_spend", "churned"} <= set(material.outcomes.columns)
    assert (material.names_ever, material.next_id) == ((), 1)
    with room.lake.writer("test") as connection:
        connection.execute("delete from marts.customer_labels where task = 'churn'")
        connection.execute(
            "update marts.customer_feature_history set as_of = as_of + interval 20 day"
        )
    young = read_material(room.lake)
    assert young.outcomes is None
    assert young.earlier is None


@pytest.fixture(scope="module")
def fitted() -> SegmentModel:
    protocol = Protocol(families=("kmeans",), pinned_k=len(GROUPS), bootstraps=1)
    return fit_segments(planted(), protocol=protocol)


@pytest.mark.parametrize(
    ("groups", "passed", "words"),
    [
        (GROUPS, True, "still fit"),
        ([(r * 1.6, f, m, size) for r, f, m, size in GROUPS], False, "groups have moved"),
        ([*GROUPS, (1000, 60, 9, 400)], False, "run training_job"),
    ],
)
def test_segments_that_no_longer_fit_ask_for_training(
    room: ModelRoom, fitted: SegmentModel, groups: Groups, passed: bool, words: str
) -> None:
    hold(room, groups, seed=3)
    with room.lake.writer("test") as connection:
        connection.execute("delete from marts.customer_segments")
        connection.execute(
            "insert into marts.customer_segments by name select customer_key, as_of, "
            "1 as segment_id, 'all' as segment_name, as_of as first_as_of, "
            "'segments:1' as model_version, as_of as assigned_at, batch_id "
            "from marts.customer_features"
        )
    version = Version("segments", 1, Path("."), {"as_of": MAY.isoformat()})
    check = segments_are_fresh(measure_staleness(room.lake, version, fitted))
    assert check.passed is passed
    assert words in str(check.description)
    assert check.severity == dg.AssetCheckSeverity.WARN


def test_without_segments_there_is_nothing_to_go_stale(room: ModelRoom) -> None:
    assert fresh_segments(room.lake).passed
