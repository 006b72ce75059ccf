"""Which files of the landing folder are files to take, and which of them are new."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.files import Fingerprint, LandedFile, content_hash
from orchestration.ingestion.landing import pending, scan

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


def put(landing: Path, name: str, content: str = "x", age: float = 60) -> Path:
    path = landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    stamp = NOW.timestamp() - age
    os.utime(path, (stamp, stamp))
    return path


def test_files_are_listed_with_entity_and_hour(tmp_path: Path) -> None:
    put(tmp_path, "events/arrived=2024-06-01T09/a.csv")
    put(tmp_path, "orders/arrived=2024-06-01T10/b.parquet")
    files, problems = scan(tmp_path)
    assert [(f.name, f.entity, f.partition_key) for f in files] == [
        ("events/arrived=2024-06-01T09/a.csv", "events", "2024-06-01T09"),
        ("orders/arrived=2024-06-01T10/b.parquet", "orders", "2024-06-01T10"),
    ]
    assert problems == []


def test_a_file_dropped_straight_into_the_entity_counts_by_its_creation(tmp_path: Path) -> None:
    path = put(tmp_path, "events/a.csv")
    (file,), _ = scan(tmp_path)
    created = datetime.fromtimestamp(path.stat().st_ctime, UTC)
    assert file.partition_key == created.strftime("%Y-%m-%dT%H")
    assert file.name == "events/a.csv"


def test_unfinished_and_hidden_files_are_ignored(tmp_path: Path) -> None:
    for name in ("_SUCCESS", ".a.csv", "a.csv.tmp", "a.part", "a.crdownload"):
        put(tmp_path, f"events/{name}")
        put(tmp_path, f"events/arrived=2024-06-01T09/{name}")
    put(tmp_path, "_archive/a.csv")
    assert scan(tmp_path) == ([], [])


def test_what_lies_in_the_wrong_place_is_a_problem(tmp_path: Path) -> None:
    put(tmp_path, "event/arrived=2024-06-01T09/a.csv")
    put(tmp_path, "events/2024-06-01/a.csv")
    put(tmp_path, "events/arrived=yesterday/a.csv")
    put(tmp_path, "events/arrived=2024-06-01T09/deep/a.csv")
    put(tmp_path, "a.csv")
    files, problems = scan(tmp_path)
    assert files == []
    assert len(problems) == 5
    assert f'no entity "event" (has: {", ".join(ENTITIES)})' in "\n".join(problems)


def test_a_name_that_is_no_text_gets_one(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"events/caf\xe9.csv"))
    assert [file.name for file in scan(tmp_path)[0]] == ["events/caf\ufffd.csv"]


def test_no_landing_folder_is_no_files(tmp_path: Path) -> None:
    assert scan(tmp_path / "none") == ([], [])


def test_a_file_is_new_until_the_ledger_has_its_content(tmp_path: Path) -> None:
    path = put(tmp_path, "events/a.csv", "content")
    files, _ = scan(tmp_path)
    hashes: dict[Fingerprint, str] = {}
    assert pending(files, [], NOW, 1, hashes) == (files, 0)
    assert hashes == {files[0].fingerprint: content_hash(path)}
    entry = ("events/a.csv", files[0].size, files[0].mtime_ns, content_hash(path))
    assert pending(files, [entry], NOW, 1, {}) == ([], 0)


def test_the_same_content_is_not_new_but_in_another_entity_it_is(tmp_path: Path) -> None:
    taken = put(tmp_path, "events/a.csv", "content")
    put(tmp_path, "events/b.csv", "content")
    put(tmp_path, "orders/c.csv", "content")
    entry = ("events/a.csv", 7, taken.stat().st_mtime_ns, content_hash(taken))
    new, _ = pending(scan(tmp_path)[0], [entry], NOW, 1, {})
    assert [file.name for file in new] == ["orders/c.csv"]


def test_a_file_that_was_taken_and_changed_is_new(tmp_path: Path) -> None:
    put(tmp_path, "events/a.csv", "other")
    new, _ = pending(scan(tmp_path)[0], [("events/a.csv", 7, 1, "hash")], NOW, 1, {})
    assert [file.name for file in new] == ["events/a.csv"]


def test_a_file_just_written_waits(tmp_path: Path) -> None:
    put(tmp_path, "events/a.csv", age=0.5)
    files, _ = scan(tmp_path)
    assert pending(files, [], NOW, 1, {}) == ([], 1)
    assert pending(files, [], NOW + timedelta(seconds=1), 1, {}) == (files, 0)


def test_a_file_from_the_future_does_not_wait_for_ever(tmp_path: Path) -> None:
    put(tmp_path, "events/a.csv", age=-3600)
    files, _ = scan(tmp_path)
    assert pending(files, [], NOW, 1, {}) == (files, 0)


def test_a_known_hash_is_not_computed_again(tmp_path: Path) -> None:
    path = put(tmp_path, "events/a.csv")
    file = LandedFile.at(path, "events", "2024-06-01T09", "events/a.csv")
    path.unlink()
    assert pending([file], [], NOW, 1, {file.fingerprint: "known"}) == ([file], 0)
    assert pending([file], [], NOW, 1, {}) == ([], 1)
