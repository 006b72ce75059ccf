"""A file that cannot be read is quarantined whole, and stops nothing."""

import gzip
import io
import zipfile

import pytest
from ingestion_room import EVENTS, Room

GOOD = f"{EVENTS}\ngood,2020-01-01,x\n"


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", GOOD)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "empty file"),
        ("a.parquet", b"", "empty file"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "empty file"),
        ("a.csv", b"\n\n", "the header is blank"),
        ("a.csv", b" , ,\n1,2,3\n", "the header is blank"),
        ("a.csv", b"event_id,,event_type\n1,2,3\n", "the header has no name for column 2"),
        ("a.csv", b"event_id,x,event_id\n1,2,3\n", 'the header has "event_id" more than once'),
        ("a.csv", bytes(range(256)) * 20, "binary data"),
        ("a.csv", b"\0" * 5000, "binary data"),
        ("a.json", b' [\n {"event_id": "1"}]', "a JSON array"),
        ("a.csv", zipped(), "a zip archive or an Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "an old Excel"),
        ("a.csv.gz", gzip.compress(GOOD.encode() * 500, mtime=0)[:-20], "gzip ends too early"),
        ("a.csv.gz", gzip.compress(b"x", mtime=0)[:12] + b"\xff" * 50, "broken gzip"),
        ("a.parquet", b"PAR1" + b"\x15\x04" * 200, "not readable as Parquet"),
    ],
)
def test_unreadable_files_are_quarantined_whole(
    room: Room, name: str, content: bytes, reason: str
) -> None:
    report = room.ingest(room.file(name, content), room.file("good.csv", GOOD))
    assert room.ids() == ["good"]
    assert [(file.received, file.rejected) for file in report.files] == [(1, 1), (1, 0)]
    ((number, reasons),) = room.reasons()
    assert number is None
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


def test_a_truncated_parquet_file_is_quarantined_whole(room: Room) -> None:
    query = f"select 'e'||i {EVENTS.split(',')[0]}, date '2020-01-01' occurred_at, 'x' event_type"
    whole = room.parquet("whole.parquet", f"{query} from range(5000) t(i)").path.read_bytes()
    broken = bytearray(whole)
    broken[200:2000] = b"\xff" * 1800
    report = room.ingest(
        room.file("cut.parquet", whole[: len(whole) // 2]), room.file("torn.parquet", bytes(broken))
    )
    assert [(file.accepted, file.rejected) for file in report.files] == [(0, 1), (0, 1)]
    assert all(number is None for number, _ in room.reasons())
    assert room.ids() == []


def test_a_missing_required_column_is_reported_once_by_name(room: Room) -> None:
    report = room.ingest_one(room.file("a.csv", "event_id,ocurred_at,event_type\n1,2,3\n4,5,6\n"))
    assert (report.received, report.rejected) == (2, 2)
    assert room.reasons() == [
        (
            None,
            [
                'no column "occurred_at" (has: event_id, ocurred_at, event_type; '
                'did you mean "ocurred_at"?)'
            ],
        )
    ]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_missing_required_column_counts_the_rows(room: Room, name: str) -> None:
    if name.endswith("jsonl"):
        file = room.file(name, '{"event_id":"1"}\n{"event_type":"x"}\n{bad\n')
    else:
        file = room.parquet(name, "select i as event_id, 'x' event_type from range(3) t(i)")
    report = room.ingest_one(file)
    assert (report.received, report.rejected) == (3, 3)
    assert len(room.reasons()) == 1


def test_optional_and_extra_columns_are_notes(room: Room) -> None:
    report = room.ingest_one(room.file("a.csv", f"chanel,{EVENTS}\nweb,e1,2020-01-01,x\n"))
    assert report.accepted == 1
    assert 'no column "channel"; did you mean "chanel"?' in report.notes
    assert 'no column "page"' in report.notes
    assert 'column "chanel" is none of events; left out' in report.notes
    assert room.rows("select notes from ops.landed_files")[0][0] == list(report.notes)


def test_columns_may_be_reordered_and_spelled_otherwise(room: Room) -> None:
    text = "Event_Type;OCCURRED AT;\ufeffEvent-ID \nx;2020-01-01;e1\n".replace("\ufeff", "")
    assert room.ingest_one(room.file("a.csv", text)).accepted == 1
    assert room.ids() == ["e1"]


def test_ambiguous_columns_reject_the_file(room: Room) -> None:
    text = "Event_ID,EVENT_ID,occurred_at,event_type\n1,2,2020-01-01,x\n"
    assert room.ingest_one(room.file("a.csv", text)).rejected == 1
    assert room.reasons() == [(None, ['"event_id" may be any of "Event_ID", "EVENT_ID"; keep one'])]


def test_a_header_alone_is_a_file_without_rows(room: Room) -> None:
    for name, content in {"a.csv": f"{EVENTS}\n", "b.csv": EVENTS}.items():
        report = room.ingest_one(room.file(name, content))
        assert (report.received, report.rejected) == (0, 0)


def test_a_file_that_changes_while_it_is_read_waits(room: Room) -> None:
    from ingestion_room import KEY, NOW

    from orchestration.ingestion.ingest import ingest_batch

    slow = room.file("slow.csv", GOOD)
    steady = room.file("steady.csv", GOOD.replace("good", "steady"))

    def still_writing(message: str) -> None:
        if "slow" in message:
            with slow.path.open("a") as stream:
                stream.write("late,2020-01-01,x\n")

    report = ingest_batch(
        room.connection, [slow, steady], "2024-06-01T12", "run", NOW, KEY, still_writing
    )
    assert report.left == {"events/slow.csv": "it changed while it was read"}
    assert room.ids() == ["steady"]
    room.ingest(slow)
    assert room.ids() == ["good", "late", "steady"]


def test_a_file_that_is_gone_is_left(room: Room) -> None:
    file = room.file("a.csv", GOOD)
    file.path.unlink()
    report = room.ingest(file)
    assert report.batch_id is None
    assert report.left == {"events/a.csv": "it is no longer there"}
