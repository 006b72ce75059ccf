"""What the worker reports are assets that there are, with the batch's own figures."""

from datetime import datetime

import dagster as dg
import duckdb
import pytest

from orchestration.clock import Clock
from orchestration.dbt_increment import (
    Recording,
    batch_models,
    kept_statements,
    read_from_memory,
)
from orchestration.definitions import defs
from orchestration.defs.dbt.assets import dbt_tables
from orchestration.ingestion.reports import BatchReport, FileReport
from orchestration.live.batch import Carried
from orchestration.live.events import materializations
from orchestration.texts.stage import Taken


def _file(entity: str, hour: str, accepted: int) -> FileReport:
    return FileReport(
        *(f"{entity}/{hour}-{accepted}", entity, "hash", hour, 1, 1, "jsonl"),
        *(accepted + 3, accepted, 1, 2, ()),
    )


def test_every_reported_asset_exists_and_raw_ones_name_their_hour() -> None:
    report = BatchReport(
        7,
        (
            _file("events", "2026-01-31T09", 10),
            _file("events", "2026-01-31T09", 5),
            _file("orders", "2026-01-31T10", 1),
        ),
    )
    clock = Clock(datetime(2026, 1, 31), "history", 7, 7)
    texts = Taken(masked=3, embedded=2, read=2)
    carried = Carried(
        report=report, clock=clock, scored=4, snapshot=12, models="churn:1", texts=texts
    )
    names = set(batch_models())
    models = {key.path[-1]: key for key in dbt_tables.keys if key.path[-1] in names}
    assert len(models) == len(names)
    events = list(materializations(carried, models))
    known = set(defs().resolve_all_asset_keys())
    assert {event.asset_key for event in events} <= known
    rows = {
        (event.asset_key.path[-1], event.partition): event.metadata["dagster/partition_row_count"]
        for event in events
        if event.asset_key.path[0] == "raw"
    }
    assert {key: value.value for key, value in rows.items()} == {
        ("events", "2026-01-31T09"): 15,
        ("orders", "2026-01-31T10"): 1,
    }
    ledger = [event for event in events if event.asset_key.path == ["ops", "landed_files"]]
    for event in ledger:
        told = {key: value.value for key, value in event.metadata.items()}
        assert told["received"] == told["accepted"] + told["duplicates"] + told["rejected"]
    assert dg.AssetKey(["marts", "customer_scores"]) in {event.asset_key for event in events}


def test_only_statements_that_change_something_are_kept() -> None:
    said = [
        '/* {"app": "dbt"} */\n-- a word\n  select 1',
        "begin",
        '/* {"app": "dbt"} */ create temporary table "x__tmp" as (select 1)',
        "/* x */ describe x",
        "set variable a = (select 1)",
        "delete from t; insert into t select * from x__tmp",
        "commit",
    ]
    assert kept_statements(said) == [
        'create temporary table "x__tmp" as (select 1)',
        "set variable a = (select 1)",
        "delete from t; insert into t select * from x__tmp",
        'drop table "x__tmp"',
    ]


def test_tables_replaced_in_whole_are_read_from_memory_by_later_models_only() -> None:
    table, other = '"lake"."s"."whole"', '"lake"."s"."part"'
    whole = [
        f'create temporary table "whole__tmp" as (select * from {table})',
        f'delete from {table};\n insert into {table} ("a")\n select "a" from "whole__tmp";',
        'drop table "whole__tmp"',
    ]
    part = [
        f'create temporary table "part__tmp" as (select * from {table})',
        f"delete from {other} where a in (select a from {table});\n"
        f' insert into {other} ("a")\n select "a" from "part__tmp";',
        'drop table "part__tmp"',
    ]
    later = [f"delete from {other} using {table}"]
    assert read_from_memory({"whole": whole, "part": part, "later": later}) == {
        "whole": whole[:2],
        "part": [text.replace(table, '"whole__tmp"') for text in part],
        "later": [f'delete from {other} using "whole__tmp"', 'drop table "whole__tmp"'],
    }
    assert read_from_memory({"part": part}) == {"part": part}


@pytest.mark.parametrize(("nothing_changed", "rows"), [("true", 0), ("false", 1), ("null", 1)])
def test_a_model_that_says_nothing_changed_is_left_out(
    writer: duckdb.DuckDBPyConnection, nothing_changed: str, rows: int
) -> None:
    writer.execute("create table ops.made (model varchar)")
    left = [
        f"set variable shoal_leaves_out_hours = (select {nothing_changed})",
        "insert into ops.made values ('hours')",
    ]
    after = ["set variable shoal_as_of = 1", "insert into ops.made values ('after')"]
    Recording("", {"hours": left, "after": after}).replay(writer)
    made = "select count(*) from ops.made where model = ?"
    assert writer.execute(made, ["hours"]).fetchone() == (rows,)
    assert writer.execute(made, ["after"]).fetchone() == (1,)
