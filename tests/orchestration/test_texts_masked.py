"""Personal data stays in raw, and odd bodies are rows like others."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.texts import masking
from orchestration.texts.checks import (
    check_every_feedback_is_masked,
    check_masked_texts_hold_no_personal_data,
)
from orchestration.texts.masking import mask_texts
from orchestration.texts.slices import SLICE_BYTES, SLICE_ROWS, slices
from tests.orchestration.text_room import TextRoom, text_room

PLANTED = (
    "jane.doe@example.com",
    "+49 170 1234567",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
)
ODD = (
    "",
    " \n\t ",
    "😡😡",
    "<p>Great</p><script>x()</script>",
    "שלום עולם",
    "x" * 100_000,
    "a\ufffdb␀c",
    "'); drop table raw.feedback; --",
)
ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


@pytest.fixture
def room(tmp_path: Path) -> TextRoom:
    return text_room(tmp_path)


def test_personal_data_is_in_raw_and_in_no_other_table(room: TextRoom) -> None:
    room.land([f"Reach me: {each}, please" for each in PLANTED])
    assert mask_texts(room.lake) == len(PLANTED)
    tables = room.table(
        "select schema_name || '.' || table_name as name from duckdb_tables() "
        "where database_name = current_database()"
    )["name"]
    holding = {
        name: [each for each in PLANTED if room.table(f"from {name}").to_string().count(each)]
        for name in tables
    }
    assert {name: found for name, found in holding.items() if found} == {
        "raw.feedback": list(PLANTED)
    }


def test_odd_bodies_are_a_row_each(room: TextRoom) -> None:
    room.land(ODD)
    mask_texts(room.lake)
    masked = room.table("from ops.masked_texts order by feedback_ref")
    assert len(masked) == len(ODD)
    assert masked["kind"].tolist() == [
        "empty", "empty", "symbols", "text", "text", "text", "text", "text",
    ]  # fmt: skip
    assert masked["body"].str.len().max() < 21_000
    assert masked["body"][3] == "Great"


def test_a_text_is_masked_once_and_again_by_another_version(
    room: TextRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.land(["one", "two"])
    assert [mask_texts(room.lake), mask_texts(room.lake)] == [2, 0]
    room.publish()
    room.land(["three"])
    monkeypatch.setattr(masking, "MASKER", "a newer one")
    assert mask_texts(room.lake, fresh_only=True) == 1
    assert mask_texts(room.lake) == 2
    masked = room.table("from ops.masked_texts")
    assert masked["feedback_ref"].is_unique
    assert set(masked["masker"]) == {"a newer one"}
    assert set(masked["changed_batch_id"]) == {2}


def test_a_body_too_long_to_read_keeps_both_ends(room: TextRoom) -> None:
    room.land(["begin " + "x y " * 100_000 + " jane.doe@example.com"])
    mask_texts(room.lake)
    (body,) = room.table("select body from ops.masked_texts")["body"]
    assert body.startswith("begin")
    assert body.endswith("[EMAIL]")


def test_checks_find_what_is_not_masked(room: TextRoom) -> None:
    room.land(["fine"])
    with room.lake.reader(latest=True) as connection:
        assert not check_every_feedback_is_masked(connection).passed
    mask_texts(room.lake)
    with room.lake.reader(latest=True) as connection:
        assert check_every_feedback_is_masked(connection).passed
        assert check_masked_texts_hold_no_personal_data(connection).passed
    room.execute("update ops.masked_texts set body = 'write to jane.doe@example.com'")
    with room.lake.reader(latest=True) as connection:
        found = check_masked_texts_hold_no_personal_data(connection)
    assert not found.passed
    assert "1-0" in str(found.description)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ANY | st.text(string.printable), min_size=1, max_size=20))
def test_any_text_is_a_row(room: TextRoom, bodies: list[str]) -> None:
    room.land(bodies)
    assert mask_texts(room.lake) == len(bodies)


def test_slices_are_bounded_and_lose_nothing() -> None:
    import pyarrow as pa

    sizes = [1] * (SLICE_ROWS + 10) + [SLICE_BYTES * 2] + [SLICE_BYTES // 2] * 3
    parts = list(slices(pa.table({"bytes": sizes})))
    assert [size for part in parts for size in part["bytes"].to_pylist()] == sizes
    for part in parts:
        assert part.num_rows <= SLICE_ROWS
        assert part.num_rows == 1 or sum(part["bytes"].to_pylist()) <= SLICE_BYTES
