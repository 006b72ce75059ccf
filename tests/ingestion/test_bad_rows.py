"""Bad rows go to quarantine with every reason; the good rows beside them come in."""

import json

import pytest
from ingestion_room import EVENTS, Room


def test_every_reason_of_a_row_is_named(room: Room) -> None:
    text = f"{EVENTS},quantity,value\ne1,2020-01-01,login,1,2\n,31/02/2020,,-3,NaN\n"
    report = room.ingest_one(room.file("a.csv", text))
    assert (report.received, report.accepted, report.rejected) == (2, 1, 1)
    assert room.ids() == ["e1"]
    assert room.reasons() == [
        (
            2,
            [
                "event_id: missing",
                'occurred_at: "31/02/2020" is not a timestamp',
                "event_type: missing",
                "quantity: -3 is negative; a return is an order with status returned",
                "value: NaN is not a finite number",
            ],
        )
    ]


def test_the_original_row_is_kept(room: Room) -> None:
    room.ingest(room.file("a.csv", f"{EVENTS},extra\ne1,never,login,\u202eשלום 👋\n"))
    ((payload,),) = room.rows("select payload from ops.rejected_rows")
    assert json.loads(payload) == {
        "event_id": "e1",
        "occurred_at": "never",
        "event_type": "login",
        "extra": "\u202eשלום 👋",
    }


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("0001-01-01", "0001-01-01 is not between 1970-01-01 and one day after arrival"),
        ("9999-12-31", "9999-12-31 is not between 1970-01-01 and one day after arrival"),
        ("2024-06-02 12:00:01", "2024-06-02 12:00:01 is not between 1970-01-01 and one day"),
        ("infinity", '"infinity" is not a timestamp|infinity is not between'),
        ("2020-02-30", '"2020-02-30" is not a timestamp'),
        ("1511658000", '"1511658000" is not a timestamp'),
        ("   ", "missing"),
        ("x" * 200, '"' + "x" * 80 + '…" is not a timestamp'),
    ],
)
def test_impossible_instants_are_rejected(room: Room, value: str, reason: str) -> None:
    report = room.ingest_one(room.file("a.csv", f"{EVENTS}\ngood,2020-01-01,x\nbad,{value},x\n"))
    assert (report.accepted, report.rejected) == (1, 1)
    ((number, reasons),) = room.reasons()
    assert number == 2
    assert any(reasons[0].startswith(f"occurred_at: {option}") for option in reason.split("|"))


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2020-01-01T10:00:00+02:00", "2020-01-01 08:00:00"),
        ("2020-01-01 10:00:00-0730", "2020-01-01 17:30:00"),
        ("2020-01-01T10:00:00Z", "2020-01-01 10:00:00"),
        ("2020-01-01T10:00:00.25", "2020-01-01 10:00:00.25"),
        ("2020-01-05", "2020-01-05 00:00:00"),
        (" 2024-06-02T14:00:00+02:00 ", "2024-06-02 12:00:00"),
    ],
)
def test_instants_become_utc(room: Room, text: str, utc: str) -> None:
    room.connection.execute("set TimeZone = 'America/New_York'")
    room.ingest(room.file("a.csv", f"{EVENTS}\ne1,{text},x\n"))
    assert room.rows("select cast(occurred_at as varchar) from raw.events") == [(utc,)]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("unit_price", "NaN", "unit_price: NaN is not a finite number"),
        ("unit_price", "-inf", "unit_price: -inf is not a finite number"),
        ("unit_price", "1e999", "unit_price: 1e999 is not a finite number"),
        ("unit_price", "£5", 'unit_price: "£5" is not a number'),
        ("unit_price", "-0.01", "unit_price: -0.01 is negative"),
        ("discount", "-1", "discount: -1 is negative"),
        ("line_number", "1.5", 'line_number: "1.5" is not a whole number'),
        ("line_number", "-1", "line_number: -1 is negative"),
        ("line_number", "9" * 30, f'line_number: "{"9" * 30}" is not a whole number'),
    ],
)
def test_impossible_numbers_are_rejected(room: Room, column: str, value: str, reason: str) -> None:
    row = {"order_ref": "o", "line_number": "2", "product_ref": "p", "quantity": "1"}
    row |= {"unit_price": "1", "discount": "", column: value}
    text = f"{','.join(row)}\ng,1,p,1,1,\n{','.join(row.values())}\n"
    report = room.ingest_one(room.file("a.csv", text, "order_lines"))
    assert (report.accepted, report.rejected) == (1, 1)
    assert room.reasons() == [(2, [reason])]


def test_texts_of_a_megabyte_are_rejected_or_kept_by_column(room: Room) -> None:
    long = "é" * 1_048_576
    text = f'{EVENTS},page\n{long},2020-01-01,x,\ngood,2020-01-01,x,"{long}"\nfine,2020-01-01,x,é\n'
    report = room.ingest_one(room.file("a.csv", text))
    assert (report.accepted, report.rejected) == (1, 2)
    assert room.reasons() == [
        (1, ["event_id: 1048576 characters, at most 1000"]),
        (2, ["page: 1048576 characters, at most 8000"]),
    ]
    body = json.dumps({"feedback_ref": "f", "posted_at": "2020-01-01", "body": long})
    room.ingest(room.file("f.jsonl", body, "feedback"))
    assert room.rows("select length(body) from raw.feedback") == [(1_048_576,)]


def test_nul_characters_are_rejected_whatever_the_format(room: Room) -> None:
    good = '{"event_id":"g","occurred_at":"2020-01-01","event_type":"x"}\n'
    bad = '{"event_id":"b\\u0000d","occurred_at":"2020-01-01","event_type":"x"}\n'
    reports = room.ingest(
        room.file("a.csv", f"{EVENTS}\na\0b,2020-01-01,x\nfine,2020-01-01,x\n"),
        room.file("b.jsonl", good + bad + '{"event_id":"\0"}\n'),
        room.parquet("c.parquet", "select 'x'||chr(0) event_id, now()::date - 999 occurred_at, "
                                  "'x' event_type"),
    )  # fmt: skip
    assert [file.rejected for file in reports.files] == [1, 2, 1]
    assert room.ids() == ["fine", "g"]
    assert [reasons for _, reasons in room.reasons()] == [
        ["event_id: has a NUL character"],
        ["event_id: has a NUL character"],
        ["malformed JSON"],
        ["event_id: has a NUL character"],
    ]


def test_nul_characters_can_be_kept_in_quarantine_and_notes(room: Room) -> None:
    """The lake's catalog holds small batches as SQL text, in which a NUL ends the statement."""
    report = room.ingest(
        room.file("a.csv", f"{EVENTS}\ne1,nev\0er,x\nrag\0ged\n"),
        room.file("b.jsonl", '{"event_id":"1","occurred_at":"2020-01-01","a\\u0000b":1}'),
        room.file("c.csv", f"{EVENTS},x\0\n1,2,3,4\n"),
    )
    assert report.rejected == 4
    assert room.rows("select payload from ops.rejected_rows where row_number = 2") == [("rag␀ged",)]
    assert room.reasons()[0] == (1, ['occurred_at: "nev␀er" is not a timestamp'])


def test_emoji_and_right_to_left_text_come_in_unchanged(room: Room) -> None:
    texts = ["👩‍👩‍👧 👍🏽", "\u200fשלום עולם\u200f", "مرحبا", "a\u0301"]
    rows = "".join(f"e{n},2020-01-01,{text}\n" for n, text in enumerate(texts))
    room.ingest(room.file("a.csv", f"{EVENTS}\n{rows}"))
    assert [t for (t,) in room.rows("select event_type from raw.events order by event_id")] == texts


def test_spaces_around_references_are_trimmed_and_blanks_are_null(room: Room) -> None:
    text = f"{EVENTS},customer_ref,page\n \u00a0e1\t,2020-01-01, x ,  c1 , \t\n"
    room.ingest(room.file("a.csv", text))
    assert room.rows("select event_id, event_type, customer_ref, page from raw.events") == [
        ("e1", "x", "c1", None)
    ]


def test_words_for_true_and_false(room: Room) -> None:
    words = ["true", "0", "YES", "no", "1", "False", "maybe"]
    rows = "".join(f"c{n},marketing,{word},2020-01-01\n" for n, word in enumerate(words))
    room.ingest(room.file("a.csv", f"customer_ref,purpose,granted,decided_at\n{rows}", "consents"))
    granted = room.rows("select granted from raw.consents order by customer_ref")
    assert [value for (value,) in granted] == [True, False, True, False, True, False]
    assert room.reasons() == [(7, ['granted: "maybe" is not true or false'])]


def test_values_outside_a_list_are_rejected_and_case_does_not_matter(room: Room) -> None:
    text = "order_ref,ordered_at,status\n1,2020-01-01,Completed\n2,2020-01-01,lost\n"
    room.ingest(room.file("a.csv", text, "orders"))
    assert room.rows("select order_ref, status from raw.orders") == [("1", "completed")]
    assert room.reasons() == [(2, ['status: "lost" is none of completed, cancelled, returned'])]


def test_birth_dates_lie_between_1900_and_arrival(room: Room) -> None:
    dates = ["1980-05-01", "1899-12-31", "2024-06-02", "1980-05-01 rubbish", "1980-05-01T00:00:00"]
    rows = "".join(f"c{n},2020-01-01,{date}\n" for n, date in enumerate(dates))
    room.ingest(room.file("a.csv", f"customer_ref,updated_at,birth_date\n{rows}", "customers"))
    assert [r for (r,) in room.rows("select customer_ref from raw.customers order by 1")] == [
        "c0",
        "c4",
    ]
    assert [number for number, _ in room.reasons()] == [2, 3, 4]


def test_malformed_json_columns_are_rejected(room: Room) -> None:
    text = f'{EVENTS},properties\ne1,2020-01-01,x,"{{""a"": [1]}}"\ne2,2020-01-01,x,{{a\n'
    room.ingest(room.file("a.csv", text))
    assert room.rows("select event_id, properties ->> '$.a[0]' from raw.events") == [("e1", "1")]
    assert room.reasons() == [(2, ["properties: malformed JSON {a"])]


def test_a_line_of_the_collector_may_say_what_is_wrong_with_it(room: Room) -> None:
    good = {"event_id": "e1", "occurred_at": "2024-01-01", "event_type": "x", "_received_at": "1"}
    bad = {
        **dict.fromkeys(("event_id", "occurred_at", "event_type")),
        "_errors": ["row: event: missing"],
        "_source": '{"type": "track"}',
    }
    lines = "".join(json.dumps(row) + "\n" for row in (good, bad))
    report = room.ingest_one(room.file("a.jsonl", lines))
    assert (report.accepted, report.rejected) == (1, 1)
    assert room.reasons() == [(2, ["row: event: missing"])]
    assert room.rows("select payload from ops.rejected_rows") == [('{"type": "track"}',)]
    assert not [note for note in report.notes if "_received_at" in note or "_errors" in note]


def test_errors_that_are_no_list_of_texts_are_none(room: Room) -> None:
    row = {"event_id": "e1", "occurred_at": "2024-01-01", "event_type": "x"}
    values = ["x", {}, [], None, 7]
    lines = "".join(
        json.dumps({**row, "event_id": f"e{number}", "_errors": value}) + "\n"
        for number, value in enumerate(values)
    )
    assert room.ingest_one(room.file("a.jsonl", lines)).accepted == len(values)
