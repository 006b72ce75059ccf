"""Every good row comes in once, whatever is repeated, crashes or comes again."""

import json
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingestion_room import CONTROL_TABLES, EVENTS, KEY, NOW, Room

from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.files import LandedFile
from orchestration.ingestion.ingest import forget_file, ingest_batch


def test_the_first_of_equal_keys_wins_within_and_across_files(room: Room) -> None:
    report = room.ingest(
        room.file("a.csv", f"{EVENTS}\ne1,2020-01-02,first\ne1,2020-01-01,second\n"),
        room.file("b.csv", f"{EVENTS}\ne1,2020-01-01,third\ne2,2020-01-01,only\n"),
    )
    assert [(f.accepted, f.duplicates) for f in report.files] == [(1, 1), (1, 1)]
    later = room.ingest_one(room.file("c.csv", f"{EVENTS}\ne2,2020-01-01,x\ne3,2020-01-01,x\n"))
    assert (later.accepted, later.duplicates) == (1, 1)
    assert room.rows("select event_id, event_type, batch_id from raw.events order by 1") == [
        ("e1", "first", 1),
        ("e2", "only", 1),
        ("e3", "x", 2),
    ]


def test_a_bad_row_does_not_take_the_place_of_a_good_one(room: Room) -> None:
    text = f"{EVENTS}\ne1,never,x\ne1,2020-01-01,good\n"
    report = room.ingest_one(room.file("a.csv", text))
    assert (report.accepted, report.duplicates, report.rejected) == (1, 0, 1)


def test_keys_with_nulls_are_compared_too(room: Room) -> None:
    products = "product_ref,name,updated_at\np,a,\np,b,\np,c,2020-01-01\n"
    orders = "order_ref,ordered_at,status\n1,2020-01-01,\n1,2020-01-01,\n1,2020-01-01,returned\n"
    report = room.ingest(
        room.file("p.csv", products, "products"), room.file("o.csv", orders, "orders")
    )
    assert [(file.accepted, file.duplicates) for file in report.files] == [(2, 1), (2, 1)]
    again = room.ingest(room.file("q.csv", f"{products}p,d,\n", "products"))
    assert (again.accepted, again.duplicates) == (0, 4)


def test_the_same_bytes_under_another_name_change_nothing(room: Room) -> None:
    text = f"{EVENTS}\ne1,2020-01-01,x\n,,\n"
    room.ingest(room.file("a.csv", text))
    before = state(room)
    report = room.ingest(room.file("b.csv", text), room.file("a.csv", text))
    assert report.batch_id is None
    assert report.skipped == ("events/b.csv", "events/a.csv")
    assert state(room) == before


def test_the_same_bytes_twice_in_a_batch_count_once(room: Room) -> None:
    text = f"{EVENTS}\ne1,2020-01-01,x\n"
    report = room.ingest(room.file("a.csv", text), room.file("b.csv", text))
    assert (len(report.files), report.skipped) == (1, ("events/b.csv",))


def test_a_file_moved_to_its_right_folder_is_taken(room: Room) -> None:
    text = "order_ref,ordered_at\n1,2020-01-01\n"
    assert room.ingest(room.file("a.csv", text, "events")).rejected == 1
    assert room.ingest(room.file("a.csv", text, "orders")).accepted == 1


def test_an_empty_batch_writes_nothing(room: Room) -> None:
    before = state(room)
    assert room.ingest().batch_id is None
    assert state(room) == before


def test_rows_are_written_in_the_order_of_their_time(room: Room) -> None:
    rows = "".join(f"e{n},2020-01-{1 + n * 7 % 28:02},x\n" for n in range(28))
    room.ingest(room.file("a.csv", f"{EVENTS}\n{rows}"))
    times = [time for (time,) in room.rows("select occurred_at from raw.events order by rowid")]
    assert times == sorted(times)


def test_totals_of_the_batch(room: Room) -> None:
    room.ingest(
        room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,x\ne1,2020-01-01,x\nbad\n"),
        room.file("b.csv", ""),
    )
    assert room.rows(
        "select batch_id, partition_key, run_id, received, accepted, duplicates, rejected, "
        "snapshot_id from ops.batches"
    ) == [(1, "2024-06-01T12", "run", 4, 1, 1, 2, None)]


def test_pseudonyms_are_keyed_hashes_of_normal_values(room: Room) -> None:
    text = (
        "customer_ref,updated_at,email,phone,country\n"
        "c1,2020-01-01, Ann@Example.org ,+31 (0)20-123 4567,\n"
        "c2,2020-01-01,mailto:<ann@example.org>,020 1234567,NL\n"
        "c3,2020-01-01,,n/a,NL\n"
        "c4,2020-01-01,nobody,020 1234567,\n"
    )
    room.ingest(room.file("a.csv", text, "customers"))
    first, second, third, fourth = room.rows(
        "select customer_key, email_key, phone_key from raw.customers order by customer_ref"
    )
    assert None not in first
    assert first[1:] == second[1:]
    assert third[1:] == fourth[1:] == (None, None)
    assert first[0] != second[0]
    ((expected,),) = room.rows(
        "select left(sha256($1 || sha256($1 || 'customer_key:c1')), 20)", KEY
    )
    assert first[0] == expected
    assert len(expected) == 20


def test_a_loyalty_number_in_the_attributes_gets_a_key(room: Room) -> None:
    cards: list[object] = [
        {"loyalty_ref": "ab-12 34"},
        {"loyalty_card": "AB1234", "tier": "gold"},
        {"loyalty_id": 7},
        {"loyalty_ref": None, "loyalty_number": "7"},
        {"loyalty_ref": "0000"},
        {"loyalty_ref": {"number": 1}},
        {"tier": "gold"},
        ["loyalty_ref"],
    ]
    rows = "".join(
        json.dumps({"customer_ref": f"c{n}", "updated_at": "2020-01-01", "attributes": card}) + "\n"
        for n, card in enumerate(cards)
    )
    bad = '{"customer_ref": "c9", "attributes": {"loyalty_ref": "x1"}}\n'
    report = room.ingest_one(room.file("a.jsonl", rows + bad, "customers"))
    assert (report.accepted, report.rejected) == (8, 1)
    keys = [
        key for (key,) in room.rows("select loyalty_key from raw.customers order by customer_ref")
    ]
    assert keys[0] == keys[1] != keys[2] == keys[3]
    assert None not in keys[:4]
    assert keys[4:] == [None] * 4


def test_a_placeholder_keeps_its_key_and_gets_a_reason(room: Room) -> None:
    text = (
        "customer_ref,updated_at,email,phone\n"
        "c1,2020-01-01,no-reply@shop.eu,+44 0000 000 000\n"
        "c2,2020-01-01,ann.lee@example.com,+44 20 7946 0123\n"
        "c3,2020-01-01,,\n"
    )
    room.ingest(room.file("a.csv", text, "customers"))
    rows = room.rows(
        "select email_key is not null, phone_key is not null, email_placeholder_reason, "
        "phone_placeholder_reason from raw.customers order by customer_ref"
    )
    assert rows == [
        (True, True, "mailbox that nobody reads", "one digit repeated"),
        (True, True, None, None),
        (False, False, None, None),
    ]


def test_a_lake_of_an_older_version_gets_the_new_columns(room: Room) -> None:
    room.rows("alter table raw.customers drop column loyalty_key")
    text = 'customer_ref,updated_at,attributes\nc1,2020-01-01,"{""loyalty_ref"": ""7""}"\n'
    assert room.ingest_one(room.file("a.csv", text, "customers")).accepted == 1
    assert room.rows("select loyalty_key is not null from raw.customers") == [(True,)]


def test_a_forgotten_file_is_taken_again(room: Room) -> None:
    file = room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,x\ne2,2024-08-01,x\n")
    assert (room.ingest_one(file).accepted, len(room.reasons())) == (1, 1)
    assert forget_file(room.connection, "events/a.csv") == 1
    assert forget_file(room.connection, "events/other.csv") == 0
    assert room.reasons() == []
    later = NOW.replace(month=9)
    report = ingest_batch(room.connection, [file], "2024-06-01T12", "run", later, KEY)
    assert (report.accepted, report.duplicates, report.rejected) == (1, 1, 0)
    assert room.ids() == ["e1", "e2"]


class Failing:
    """A connection that dies at its n-th statement inside the transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, allowed: int) -> None:
        self._connection = connection
        self._allowed = allowed
        self._begun = False

    def execute(self, query: str, *parameters: Any) -> Any:
        self._begun |= query == "begin"
        if self._begun and query != "rollback":
            self._allowed -= 1
            if self._allowed < 0:
                self._begun = False
                raise ConnectionError("the process died here")
        if query == "commit":
            self._begun = False
        return self._connection.execute(query, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_crash_at_any_statement_leaves_nothing(room: Room) -> None:
    files = [
        room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,x\nbad\n"),
        room.file("b.csv", ""),
        room.file("o.csv", "order_ref,ordered_at\n1,2020-01-01\n", "orders"),
    ]
    before = state(room)
    crashes = 0
    for allowed in range(100):
        failing: Any = Failing(room.connection, allowed)
        try:
            report = ingest_batch(failing, files, "2024-06-01T12", "run", NOW, KEY)
        except ConnectionError:
            crashes += 1
            assert state(room) == before
        else:
            break
    assert crashes > 10
    assert (report.batch_id, report.accepted, report.rejected) == (1, 2, 2)


FORMATS = ("csv", "tsv", "jsonl", "parquet")
Row = tuple[int, str]
GOOD, LATE, UNTIMED, NEGATIVE = "good", "late", "untimed", "negative"


@st.composite
def batches_of_files(draw: st.DrawFn) -> list[list[tuple[str, list[Row]]]]:
    rows = st.tuples(
        st.integers(0, 7), st.sampled_from([GOOD, GOOD, GOOD, LATE, UNTIMED, NEGATIVE])
    )
    file = st.tuples(st.sampled_from(FORMATS), st.lists(rows, max_size=6))
    return draw(st.lists(st.lists(file, min_size=1, max_size=3), min_size=1, max_size=2))


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(batches=batches_of_files(), data=st.data())
def test_any_mixture_gives_exactly_the_good_keys(
    room: Room, batches: list[list[tuple[str, list[Row]]]], data: st.DataObject
) -> None:
    room.empty()
    landed = []
    for number, files in enumerate(batches):
        batch = [written(room, f"{number}-{n}", *file) for n, file in enumerate(files)]
        room.ingest(*batch)
        landed += batch
    rows = [row for files in batches for _, contents in files for row in contents]
    assert room.ids() == sorted({f"e{key}" for key, kind in rows if kind == GOOD})
    before = state(room)
    places = data.draw(st.lists(st.integers(0, len(landed) - 1), unique=True))
    assert room.ingest(*(landed[place] for place in places)).batch_id is None
    assert state(room) == before


def written(room: Room, stem: str, format_: str, rows: list[Row]) -> LandedFile:
    """Land rows in a format."""
    times = {LATE: "2031-01-01", UNTIMED: None}
    records = [
        {
            "event_id": f"e{key}",
            "occurred_at": times.get(kind, "2020-01-01"),
            "event_type": "x",
            "quantity": "-1" if kind == NEGATIVE else "1",
        }
        for key, kind in rows
    ]
    name = f"{stem}.{format_}"
    if format_ == "jsonl":
        lines = "".join(json.dumps(record) + "\n" for record in records)
        return room.file(name, lines or "\n{}\n")
    if format_ == "parquet":
        literals = json.dumps(records).replace("'", "''")
        query = (
            "select r ->> 'event_id' event_id, try_cast(r ->> 'occurred_at' as date) occurred_at, "
            "r ->> 'event_type' event_type, try_cast(r ->> 'quantity' as double) quantity "
            f"from (select unnest(from_json('{literals}', '[\"json\"]')) r)"
        )
        return room.parquet(name, query)
    separator = "," if format_ == "csv" else "\t"
    header = ["event_id", "occurred_at", "event_type", "quantity"]
    lines = [header, *([record[column] or "" for column in header] for record in records)]
    return room.file(name, "".join(separator.join(line) + "\n" for line in lines))


def state(room: Room) -> list[tuple[int, int]]:
    """The lake's newest snapshot and how many rows lie in it: the same when nothing was written."""
    tables = [*(f"raw.{name}" for name in sorted(room.used)), *CONTROL_TABLES]
    counts = " + ".join(f"(select count(*) from {table})" for table in tables)
    return room.rows(f"select (select max(snapshot_id) from ducklake_snapshots('lake')), {counts}")


@pytest.mark.parametrize("entity", list(ENTITIES))
def test_every_entity_takes_a_row_with_its_required_columns_only(room: Room, entity: str) -> None:
    examples = {"timestamp": "2020-01-01", "double": "1", "bigint": "1", "boolean": "yes"}
    row = {
        column.name: column.values[0] if column.values else examples.get(column.type, "x")
        for column in ENTITIES[entity].columns
        if column.required
    }
    text = f"{','.join(row)}\n{','.join(row.values())}\n"
    assert room.ingest_one(room.file("a.csv", text, entity)).accepted == 1
