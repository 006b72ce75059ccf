"""Who is compared, what is written, and that a decision is only written when it changes."""

import sys
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pytest

from orchestration.defs.identity.checks import (
    check_most_matches_are_clear,
    check_pairs_are_listed_once,
)
from orchestration.identity_matches import match_customers, read_profiles, write_matches
from orchestration.lake import Lake

NOW = datetime(2026, 6, 1, 12, 30)


def add_customer(connection: duckdb.DuckDBPyConnection, key: str, **columns: Any) -> None:
    row = {
        "customer_ref": key,
        "customer_key": key,
        "updated_at": NOW,
        "full_name": "Zora Quillfeather",
        "birth_date": "1980-02-03",
        "address": "Long Lane 7",
        "city": "Northwick",
        "postcode": "12345",
        "email": f"{key}@example.org",
        "email_key": f"mail of {key}",
        "batch_id": 1,
        **columns,
    }
    connection.execute(
        f"insert into raw.customers ({', '.join(row)}) values ({', '.join('?' * len(row))})",
        list(row.values()),
    )


def found(*pairs: tuple[str, str, float, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["left_key", "right_key", "probability", "decision"])


def stored(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select left_key, right_key, decision, changed_batch_id "
        "from intermediate.identity_matches order by 1, 2"
    ).fetchall()


def batches(connection: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select batch_id, partition_key, run_id, received, accepted, duplicates, rejected, "
        "ingested_at, snapshot_id from ops.batches order by 1"
    ).fetchall()


def test_who_shares_an_identifier_is_not_compared(scratch: duckdb.DuckDBPyConnection) -> None:
    add_customer(scratch, "a")
    add_customer(scratch, "b", phone_key="p1")
    add_customer(scratch, "c", phone_key="p1")
    add_customer(scratch, "d", loyalty_key="l1")
    add_customer(scratch, "e", loyalty_key="l1")
    add_customer(scratch, "f", email_key="m", email_placeholder_reason="no address given")
    add_customer(scratch, "g", email_key="m", email_placeholder_reason="no address given")
    profiles = read_profiles(scratch)
    assert list(profiles["customer_key"]) == ["a", "f", "g"]
    assert list(profiles["email"].notna()) == [True, False, False]


def test_an_identifier_of_an_older_profile_joins_too(scratch: duckdb.DuckDBPyConnection) -> None:
    add_customer(scratch, "a", phone_key="p1", updated_at=datetime(2020, 1, 1))
    add_customer(scratch, "a", full_name="Zora Newname")
    add_customer(scratch, "b", phone_key="p1")
    add_customer(scratch, "c", full_name="Old Name", updated_at=datetime(2020, 1, 1))
    add_customer(scratch, "c", full_name="New Name")
    assert list(read_profiles(scratch)["full_name"]) == ["New Name"]


def test_a_changed_decision_opens_a_batch_of_its_own(scratch: duckdb.DuckDBPyConnection) -> None:
    first = write_matches(
        scratch, found(("a", "b", 0.99, "same"), ("a", "c", 0.7, "review")), 3, "run 1", NOW
    )
    assert (first.profiles, first.same, first.review, first.withdrawn) == (3, 1, 1, 0)
    assert stored(scratch) == [("a", "b", "same", 1), ("a", "c", "review", 1)]
    assert batches(scratch) == [(1, "2026-06-01T12", "run 1", 0, 0, 0, 0, NOW, None)]

    again = write_matches(
        scratch, found(("a", "b", 0.98, "same"), ("a", "c", 0.7, "review")), 3, "run 2", NOW
    )
    assert again.batch_id is None
    assert len(batches(scratch)) == 1

    third = write_matches(scratch, found(("a", "c", 0.95, "same")), 3, "run 3", NOW)
    assert (third.same, third.review, third.withdrawn, third.batch_id) == (1, 0, 1, 2)
    assert stored(scratch) == [("a", "b", "different", 2), ("a", "c", "same", 2)]

    fourth = write_matches(scratch, found(("a", "c", 0.95, "same")), 3, "run 4", NOW)
    assert (fourth.withdrawn, fourth.batch_id) == (0, None)

    fifth = write_matches(
        scratch, found(("a", "b", 0.99, "same"), ("a", "c", 0.95, "same")), 3, "run 5", NOW
    )
    assert fifth.batch_id == 3
    assert stored(scratch) == [("a", "b", "same", 3), ("a", "c", "same", 2)]


def test_a_batch_that_fails_leaves_nothing(writer: duckdb.DuckDBPyConnection) -> None:
    pairs = found(("a", "b", 0.99, "same"))
    pairs["probability"] = None  # refused by the table, after the batch was opened
    with pytest.raises(duckdb.ConstraintException):
        write_matches(writer, pairs, 2, "run", NOW)
    assert stored(writer) == []
    assert batches(writer) == []


def test_who_stands_in_a_pair_is_compared_again(scratch: duckdb.DuckDBPyConnection) -> None:
    for key in "abc":
        add_customer(scratch, key, email_key="shared" if key in "ac" else "own")
    assert read_profiles(scratch)["customer_key"].tolist() == ["b"]
    write_matches(scratch, found(("a", "b", 0.99, "same")), 2, "run", NOW)
    assert read_profiles(scratch)["customer_key"].tolist() == ["a", "b"]


def test_two_profiles_of_one_person_are_found(lake: Lake) -> None:
    with lake.writer("test") as connection:
        add_customer(connection, "a", full_name="Zora Quilfeather")
        add_customer(connection, "b")
        add_customer(
            connection, "c", full_name="Max Other", birth_date="1955-07-08", address="Hill 1"
        )
    report = match_customers(lake, "run", NOW, seed=7)
    assert (report.profiles, report.same, report.batch_id) == (3, 1, 1)
    assert match_customers(lake, "run", NOW, seed=7).batch_id is None
    with lake.reader(latest=True) as connection:
        assert stored(connection) == [("a", "b", "same", 1)]


def test_nobody_to_compare_needs_no_splink_but_withdraws(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lake.writer("test") as connection:
        add_customer(connection, "a")
        write_matches(connection, found(("a", "b", 0.99, "same")), 2, "run", NOW)
    monkeypatch.setitem(sys.modules, "splink", None)
    report = match_customers(lake, "run", NOW, seed=7)
    assert (report.profiles, report.withdrawn, report.batch_id) == (1, 1, 2)


def test_pairs_are_listed_once_check(scratch: duckdb.DuckDBPyConnection) -> None:
    write_matches(scratch, found(("a", "b", 0.99, "same")), 2, "run", NOW)
    assert check_pairs_are_listed_once(scratch).passed
    scratch.execute("insert into intermediate.identity_matches values ('b', 'a', 0.9, 'same', 1)")
    assert not check_pairs_are_listed_once(scratch).passed


def test_most_matches_are_clear_check(scratch: duckdb.DuckDBPyConnection) -> None:
    assert check_most_matches_are_clear(scratch).passed
    pairs = found(("a", "b", 0.99, "same"), ("a", "c", 0.7, "review"))
    write_matches(scratch, pairs, 3, "run", NOW)
    assert check_most_matches_are_clear(scratch).passed
    write_matches(scratch, pairs.assign(decision="review"), 3, "run", NOW)
    assert not check_most_matches_are_clear(scratch).passed
