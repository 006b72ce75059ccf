"""Journals: what was acknowledged is in landing once, and nothing else is."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import Journals


def row(number: int, text: str = "") -> bytes:
    return json.dumps({"event_id": f"e{number}", "page": text}).encode()


def journals(root: Path, run: str = "a", seconds: float = 60, size: int = 1 << 20) -> Journals:
    return Journals(root / "journal", root / "landing", run, seconds, size)


def landed(root: Path, entity: str = "events") -> list[str]:
    files = sorted((root / "landing" / entity).glob("arrived=*/*.jsonl"))
    return [
        json.loads(line)["event_id"] for file in files for line in file.read_bytes().splitlines()
    ]


def files(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.glob(pattern) if path.is_file())


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let the operating system refuse to write past a size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_nothing_is_in_landing_before_it_is_rolled(tmp_path: Path) -> None:
    here = journals(tmp_path)
    here.append({"events": [row(1), row(2)]})
    here.roll()
    assert landed(tmp_path) == []
    here.roll(everything=True)
    assert landed(tmp_path) == ["e1", "e2"]
    assert files(tmp_path, "journal/*") == []


def test_age_and_size_are_due(tmp_path: Path) -> None:
    old, large = journals(tmp_path / "old", seconds=1e-9), journals(tmp_path / "large", size=100)
    for here, root in ((old, tmp_path / "old"), (large, tmp_path / "large")):
        here.append({"events": [row(1, "x" * 100)]})
        here.roll()
        assert landed(root) == ["e1"]


def test_the_first_line_of_a_file_names_every_column(tmp_path: Path) -> None:
    here = journals(tmp_path)
    here.append({"events": [row(1), row(2)]})
    here.roll(everything=True)
    (file,) = files(tmp_path, "landing/events/*/*")
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first["event_id"] == "e1"
    assert set(second) < set(first)
    assert {"currency", "referrer"} <= set(first)


def test_names_are_unique_and_in_the_order_of_time(tmp_path: Path) -> None:
    here = journals(tmp_path, seconds=1e-9)
    for number in range(5):
        here.append({"events": [row(number)]})
        here.roll()
    assert landed(tmp_path) == [f"e{number}" for number in range(5)]


@settings(max_examples=15, deadline=None)
@given(
    groups=st.lists(st.lists(st.text(max_size=5), min_size=1, max_size=4), max_size=5),
    cut=st.integers(0, 40),
)
def test_a_torn_last_line_is_cut_and_the_rest_is_recovered(
    groups: list[list[str]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("journals")
    dead = journals(root)
    written = 0
    for group in groups:
        dead.append({"events": [row(written + n, text) for n, text in enumerate(group)]})
        written += len(group)
    torn = row(999)[:cut]
    for path in files(root, "journal/*"):
        with path.open("ab") as stream:
            stream.write(torn)
    later = journals(root, "b")
    assert later.recover() == (1 if groups else 0)
    assert landed(root) == [f"e{number}" for number in range(written)]
    assert later.recover() == 0


def test_a_journal_with_nothing_whole_leaves_no_file(tmp_path: Path) -> None:
    here = journals(tmp_path)
    (tmp_path / "journal" / "events.20240101T000000-a-1.jsonl").write_bytes(b'{"event_id"')
    (tmp_path / "journal" / "orders.20240101T000000-a-2.jsonl").touch()
    (tmp_path / "journal" / "notes.jsonl").write_text("not ours\n")
    assert here.recover() == 2
    assert landed(tmp_path) == []
    assert [path.name for path in files(tmp_path, "journal/*")] == ["notes.jsonl"]


def test_a_write_that_fails_keeps_what_was_acknowledged_and_no_more(tmp_path: Path) -> None:
    here = journals(tmp_path)
    here.append({"events": [row(1)]})
    with files_no_larger_than(1_500), pytest.raises(OSError, match="too large"):
        here.append({"orders": [row(2)], "events": [row(3), row(4, "x" * 4_000)]})
    here.append({"events": [row(5)]})
    here.roll(everything=True)
    assert landed(tmp_path) == ["e1", "e5"]
    assert landed(tmp_path, "orders") == []
    assert files(tmp_path, "journal/*") == []


def test_a_journal_that_cannot_be_moved_is_moved_later(tmp_path: Path) -> None:
    here = journals(tmp_path)
    here.append({"events": [row(1)]})
    obstacle = tmp_path / "landing" / "events"
    obstacle.write_text("a file where the folder belongs")
    with pytest.raises(OSError, match=r"directory|exists"):
        here.roll(everything=True)
    here.append({"events": [row(2)]})
    obstacle.unlink()
    here.roll(everything=True)
    assert landed(tmp_path) == ["e1", "e2"]
