"""Names that are listened for: one that is wrong disables itself, texts are searched once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from ml.text_mentions import Terms
from orchestration.defs.listening.checks import check_terms_are_valid
from orchestration.lake import Lake
from orchestration.listening.mentions import Search, search_mentions
from orchestration.listening.terms import TermBook, load_terms, read_term_book
from orchestration.settings import PROJECT_ROOT, Settings

TERMS = """
brands: {Shoal: [shoal], Reef: [reef, riff]}
competitors: {Coral: [coral]}
"""
NOON = datetime(2026, 6, 1, 12)


@pytest.fixture
def listener(values: Settings, lake: Lake, tmp_path: Path) -> Settings:
    """Settings whose terms are a file of this test's own."""
    path = tmp_path / "terms.yml"
    path.write_text(TERMS)
    return values.model_copy(update={"listening": path})


def arrive(lake: Lake, batch: int, *bodies: str) -> None:
    """Masked texts of a batch; those before it are published."""
    with lake.writer("test: texts") as connection:
        connection.execute("update ops.batches set snapshot_id = 1")
        connection.execute(
            "insert into ops.batches values (?, 'h', 'r', 1, 1, 0, 0, ?, null, null)", [batch, NOON]
        )
        for row, body in enumerate(bodies):
            connection.execute(
                "insert into ops.masked_texts values (?, ?, ?, ?, 'text', false, 'm', ?)",
                [f"{batch}-{row}", batch, f"hash of {body}", body, batch],
            )


def found(lake: Lake) -> list[tuple[str, str, str, int]]:
    with lake.reader(latest=True) as connection:
        return connection.execute(
            "select content_hash, name, term, changed_batch_id from ops.text_mentions order by all"
        ).fetchall()


def test_a_text_is_searched_once_and_only_when_it_is_new(lake: Lake, listener: Settings) -> None:
    arrive(lake, 1, "the Reef and the reef", "Shoal or Coral?", "nothing", "")
    first = search_mentions(lake, listener)
    assert (first.texts, first.mentions, first.is_anew) == (3, 3, True)
    assert found(lake) == [
        ("hash of Shoal or Coral?", "Coral", "coral", 1),
        ("hash of Shoal or Coral?", "Shoal", "shoal", 1),
        ("hash of the Reef and the reef", "Reef", "reef", 1),
    ]
    again = search_mentions(lake, listener)
    assert (again.mentions, again.is_anew) == (0, False)
    arrive(lake, 2, "riff", "Shoal or Coral?")
    second = search_mentions(lake, listener)
    assert (second.texts, second.mentions) == (1, 1)
    assert found(lake)[2:3] == [("hash of riff", "Reef", "riff", 2)]


def test_other_terms_are_searched_for_in_every_text(lake: Lake, listener: Settings) -> None:
    arrive(lake, 1, "the reef", "nothing")
    search_mentions(lake, listener)
    listener.listening.write_text("all: {Nothing: [nothing]}")
    arrive(lake, 2)
    assert search_mentions(lake, listener, fresh_only=True).mentions == 0  # for a run, not here
    assert search_mentions(lake, listener).is_anew
    assert [row[:2] for row in found(lake)] == [("hash of nothing", "Nothing")]


def test_the_live_worker_searches_fresh_texts_alone(lake: Lake, listener: Settings) -> None:
    arrive(lake, 1, "the reef")
    search_mentions(lake, listener)
    arrive(lake, 2)
    assert search_mentions(lake, listener, fresh_only=True) == Search(read_book(lake))
    arrive(lake, 3, "coral")
    assert search_mentions(lake, listener, fresh_only=True).mentions == 1


def read_book(lake: Lake) -> TermBook:
    with lake.reader(latest=True) as connection:
        return read_term_book(connection)


def test_a_wrong_name_is_left_out_with_its_reason(lake: Lake, listener: Settings) -> None:
    listener.listening.write_text(
        "brands: {Shoal: [shoal], Bad: {a: b}, Thief: [SHOAL]}\nlist: [1]\nshops: {Reef: [reef]}"
    )
    arrive(lake, 1, "shoal and reef")
    assert search_mentions(lake, listener).mentions == 2
    with lake.reader(latest=True) as connection:
        checked = check_terms_are_valid(connection)
    assert not checked.passed
    assert checked.description is not None
    for words in (
        "brands.Bad: write a list",
        "'shoal' stands for brands.Shoal",
        "list: write name",
    ):
        assert words in checked.description
    listener.listening.write_text(TERMS)
    search_mentions(lake, listener)
    with lake.reader(latest=True) as connection:
        assert check_terms_are_valid(connection).passed


@pytest.mark.parametrize(
    ("content", "said"), [("a: [", "no valid YAML"), (None, "SHOAL_LISTENING")]
)
def test_a_file_that_cannot_be_read_leaves_the_terms_in_force(
    lake: Lake, listener: Settings, content: str | None, said: str
) -> None:
    arrive(lake, 1, "the reef")
    search_mentions(lake, listener)
    listener.listening.unlink()
    if content is not None:
        listener.listening.write_text(content)
    arrive(lake, 2, "coral")
    search = search_mentions(lake, listener)
    assert (search.mentions, search.is_anew) == (1, False)
    assert said in search.book.errors["", ""]
    with lake.reader(latest=True) as connection:
        assert not check_terms_are_valid(connection).passed


def test_the_terms_that_come_with_the_code_are_valid() -> None:
    book = load_terms(PROJECT_ROOT / "listening" / "terms.yml")
    assert not book.errors
    assert {group for group, _ in book.names} >= {"brands", "products", "competitors"}
    assert isinstance(book.terms, Terms)
