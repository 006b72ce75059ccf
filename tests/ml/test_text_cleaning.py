"""Whatever is sent becomes one readable row: never an error, never more than it was."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.text_cleaning import LONGEST, Kind, clean, clean_all

ODD = {
    "none": None,
    "empty": "",
    "blank": " \n\t ​",
    "only emoji": "😡😡😡",
    "emoticon": ":-(",
    "invalid UTF-8": b"The lamp is \xff\xfe broken \xc3\x28",
    "lone surrogate": "broken \ud83d lamp",
    "control characters": "bro\x00ken\x07",
    "HTML": "<p>Where is my <b>parcel</b>?</p><script>steal()</script>",
    "broken HTML": "<p <b>where</p> is <my",
    "right to left": "المنتج \u202eسيء\u202c جدا",
    "100 kB": "terrible service " * 6_000,
    "100 kB of one letter": "a" * 100_000,
    "100 kB of brackets": "<" * 100_000,
    "100 kB of dashes": "a-" * 50_000,
    "100 kB of digits": "1 " * 50_000,
    "100 kB of at signs": "a@" * 50_000,
}


def test_odd_bodies_are_a_row_each() -> None:
    cleaned = clean_all(ODD.values())
    assert len(cleaned) == len(ODD)
    for text in cleaned:
        assert text.text == text.text.encode("utf-8").decode("utf-8").strip()
        assert len(text.text) <= LONGEST + 3
        assert len(text.content_hash) == 64


@pytest.mark.parametrize(
    ("body", "kind"),
    [(None, Kind.EMPTY), (" ​", Kind.EMPTY), ("😡😡", Kind.SYMBOLS), ("ok", Kind.TEXT)],
)
def test_kinds(body: str | None, kind: Kind) -> None:
    assert clean(body).kind is kind


def test_html_leaves_its_words_and_nothing_else() -> None:
    text = clean("<style>b{}</style>Fish &amp; chips<br>were <b>cold</b> &lt;3 <!-- x -->").text
    assert text == "Fish & chips\nwere cold <3"


def test_less_than_is_no_tag() -> None:
    assert clean("5 < 6 and 7 > 3").text == "5 < 6 and 7 > 3"


def test_look_alike_letters_and_digits_become_plain() -> None:
    assert clean("Ｃａｌｌ ０３０ １２３").text == "Call 030 123"


def test_a_long_body_keeps_its_ends() -> None:
    text = clean("start " + "x " * 100_000 + "end")
    assert text.is_cut
    assert text.text.startswith("start")
    assert text.text.endswith("end")


def test_the_hash_is_that_of_what_is_read() -> None:
    assert clean("<b>late</b>  parcel").content_hash == clean("late parcel").content_hash
    assert clean("late parcel").content_hash != clean("late parcels").content_hash


def test_drawn_out_letters_shrink_and_digits_do_not() -> None:
    assert clean("Soooooooo late!!!!!!!! 5500000000").text == "Sooo late!!! 5500000000"


@given(st.one_of(st.none(), st.text(), st.binary()))
def test_cleaning_twice_changes_nothing(body: str | bytes | None) -> None:
    once = clean(body).text
    assert "\x00" not in once
    assert clean(once.replace("<", " ").replace("&", " ")).kind in Kind


def test_no_body_takes_long() -> None:
    started = time.process_time()
    clean_all(ODD.values())
    assert time.process_time() - started < 5
