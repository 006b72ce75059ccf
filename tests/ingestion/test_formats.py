"""The format is told by the content, whatever the name says."""

import gzip

import pytest
from ingestion_room import EVENTS, Room

ROWS = [("e1", "2020-01-01 00:00:00", "vue à part"), ("e2", "2020-01-02 00:00:00", "x")]
CSV = f"{EVENTS}\n" + "".join(",".join(row) + "\n" for row in ROWS)
JSONL = "".join(
    f'{{"event_id":"{a}","occurred_at":"{b}","event_type":"{c}"}}\n' for a, b, c in ROWS
)


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (CSV.encode(), "csv"),
        (CSV.replace(",", ";").encode(), "csv"),
        (CSV.replace(",", "\t").encode(), "csv"),
        (CSV.replace(",", "|").encode(), "csv"),
        (CSV.replace("\n", "\r\n").encode(), "csv"),
        (CSV.encode().rstrip(), "csv"),
        (CSV.encode("utf-8-sig"), "csv"),
        (CSV.encode("utf-16"), "csv"),
        (CSV.encode("utf-16-le"), "csv"),
        (CSV.encode("cp1252"), "csv"),
        (gzip.compress(CSV.encode(), mtime=0), "csv+gzip"),
        (JSONL.encode(), "jsonl"),
        (b"\n  " + JSONL.encode("utf-8"), "jsonl"),
        (JSONL.encode("utf-8-sig"), "jsonl"),
        (JSONL.encode("utf-16"), "jsonl"),
        (gzip.compress(JSONL.encode(), mtime=0), "jsonl+gzip"),
    ],
)
def test_text_files(room: Room, content: bytes, format_: str) -> None:
    report = room.ingest_one(room.file("it's [1].parquet", content))
    assert report.format == format_
    assert rows(room) == ROWS


def test_parquet_under_any_name_and_in_gzip(room: Room) -> None:
    values = ", ".join(map(str, ROWS))
    query = f"select a as event_id, b::timestamp as occurred_at, c as event_type from (values {values}) t(a, b, c)"  # noqa: E501
    file = room.parquet("a*[x]'.csv", query)
    assert room.ingest_one(file).format == "parquet"
    assert rows(room) == ROWS
    zipped = room.file("b.csv", gzip.compress(file.path.read_bytes()))
    assert room.ingest_one(zipped).duplicates == 2


def test_types_of_parquet_columns(room: Room) -> None:
    file = room.parquet(
        "a.parquet",
        "select 17 event_id, timestamptz '2020-01-01 10:00:00+02' occurred_at, 'x' event_type, "
        "17850.0::double customer_ref, 5::decimal(9, 2) quantity, {'a': [1, 2]} properties, "
        "uuid '00000000-0000-0000-0000-000000000001' product_ref, date '2020-01-01' page",
    )
    room.ingest(file)
    assert room.rows(
        "select event_id, cast(occurred_at as varchar), customer_ref, quantity, "
        "properties ->> '$.a[1]', product_ref, page from raw.events"
    ) == [
        (
            "17",
            "2020-01-01 08:00:00",
            "17850",
            5.0,
            "2",
            "00000000-0000-0000-0000-000000000001",
            "2020-01-01",
        )
    ]


def test_wrong_types_in_parquet_are_rejected_row_by_row(room: Room) -> None:
    file = room.parquet(
        "a.parquet",
        "select * from (values ('a', 'nan'::double, 1.5), ('b', 1, 2), ('c', 1, null), "
        "('d', -1, 3)) t(order_ref, unit_price, line_number), (select 1 quantity, 'p' product_ref)",
        "order_lines",
    )
    report = room.ingest_one(file)
    assert (report.accepted, report.rejected) == (1, 3)
    assert room.reasons() == [
        (1, ['line_number: "1.5" is not a whole number', "unit_price: nan is not a finite number"]),
        (3, ["line_number: missing"]),
        (4, ["unit_price: -1 is negative"]),
    ]


def test_odd_columns_of_parquet_do_no_harm(room: Room) -> None:
    good = "'x' event_type, date '2020-01-01' occurred_at"
    queries = [
        f"select 'a'::blob event_id, {good}, '\\xFF\\xFE'::blob page",
        f"select 'b' event_id, {good}, 5 file_row_number, [1] filename",
        f"select 'c' event_id, {good}, null channel, interval 1 day page, 'x' _errors",
        f"select 'd' event_id, {good}, time '10:00' page, map {{'a': 1}} properties",
    ]
    files = [room.parquet(f"{n}.parquet", query) for n, query in enumerate(queries)]
    report = room.ingest(*files)
    assert [(file.accepted, file.rejected) for file in report.files] == [(1, 0)] * 4
    assert room.rows("select event_id, page from raw.events order by 1") == [
        ("a", "\\xFF\\xFE"),
        ("b", None),
        ("c", "1 day"),
        ("d", "10:00:00"),
    ]


def test_ragged_rows_are_rejected_with_number_and_text(room: Room) -> None:
    text = f'{EVENTS}\ne1,2020-01-01,x\n\nshort,2020-01-01\ne3,2020-01-01,"a\nb"\n1,2,3,4\ne5,2020-01-01,x\n'  # noqa: E501
    report = room.ingest_one(room.file("a.csv", text))
    assert (report.received, report.accepted, report.rejected) == (5, 3, 2)
    assert room.rows(
        "select row_number, payload, reasons[1] from ops.rejected_rows order by 1"
    ) == [
        (2, "short,2020-01-01", "row has 2 fields, the header has 3"),
        (4, "1,2,3,4", "row has 4 fields, the header has 3"),
    ]
    assert room.rows("select event_id, row_number from raw.events order by 1") == [
        ("e1", 1),
        ("e3", 3),
        ("e5", 5),
    ]


@pytest.mark.parametrize("tail", ['e2,2020-01-01,"tru', 'e2,"2020', '"e2'])
def test_a_file_cut_in_a_quote_loses_its_last_row_only(room: Room, tail: str) -> None:
    report = room.ingest_one(room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,x\n{tail}"))
    assert (report.accepted, report.rejected) == (1, 1)
    assert room.rows("select row_number, payload, reasons[1] from ops.rejected_rows") == [
        (2, tail, "a quote is opened and never closed")
    ]


@pytest.mark.parametrize("bad", ['e2,2020-01-01,"open', '"e2,2020-01-01'])
def test_a_quote_that_is_never_closed_does_not_swallow_the_rest(room: Room, bad: str) -> None:
    rest = "".join(f"f{n},2020-01-01,x\n" for n in range(100)) + "1,2\n"
    report = room.ingest_one(room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,x\n{bad}\n{rest}"))
    assert (report.received, report.accepted, report.rejected) == (103, 101, 2)
    assert [number for number, _ in room.reasons()] == [2, 103]
    assert any("row 2 is never closed" in note for note in report.notes)


def test_malformed_json_lines_are_rejected(room: Room) -> None:
    text = f'{JSONL}\n[1, 2]\n"x"\n{{"event_id": "cut\n{{"event_id": "e3"}}\n'
    report = room.ingest_one(room.file("a.jsonl", text))
    assert (report.received, report.accepted, report.rejected) == (6, 2, 4)
    assert room.reasons() == [
        (3, ["not a JSON object"]),
        (4, ["not a JSON object"]),
        (5, ["malformed JSON"]),
        (6, ["occurred_at: missing", "event_type: missing"]),
    ]


def test_keys_of_json_lines_may_differ(room: Room) -> None:
    lines = [
        '{"event_id":1,"occurred_at":"2020-01-01","event_type":"x","properties":{"a/b":[true]}}',
        '{"event_type":"x","Page":"p","occurred_at":"2020-01-01","event_id":"2","a/~b":5}',
    ]
    report = room.ingest_one(room.file("a.jsonl", "\n".join(lines)))
    assert room.rows("select event_id, page, properties from raw.events order by 1") == [
        ("1", None, '{"a/b":[true]}'),
        ("2", "p", None),
    ]
    assert 'column "a/~b" is none of events; left out' in report.notes


def test_records_larger_than_a_block_are_read(room: Room) -> None:
    long = "y" * (17 << 20)
    text = f'{EVENTS}\ne1,2020-01-01,x\ne2,2020-01-01,"{long}"\ne3,2020-01-01,x\n'
    report = room.ingest_one(room.file("a.csv", text))
    assert (report.accepted, report.rejected) == (2, 1)


def test_other_encodings_are_noted(room: Room) -> None:
    cyrillic = "Это обычный русский текст о покупках и заказах в магазине"
    report = room.ingest_one(
        room.file("a.csv", f"{EVENTS}\ne1,2020-01-01,{cyrillic}\n".encode("cp1251"))
    )
    assert report.notes[0] == "read as cp1251"
    assert room.rows("select event_type from raw.events") == [(cyrillic,)]
    broken = f"{EVENTS}\ne2,2020-01-01,👋 ж\n".encode() + b"e3,2020-01-01,\xff\n"
    report = room.ingest_one(room.file("b.csv", broken))
    assert "not UTF-8" in report.notes[0]
    assert room.rows("select event_type from raw.events where event_id = 'e2'") == [("👋 ж",)]


def rows(room: Room) -> list[tuple[str, str, str]]:
    return [
        (a, b, c)
        for a, b, c in room.rows(
            "select event_id, cast(occurred_at as varchar), event_type from raw.events order by 1"
        )
    ]
