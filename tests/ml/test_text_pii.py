"""Personal data goes, whatever its format; numbers of things stay."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from private_texts import NUMBERS_OF_THINGS, planted

from ml.text_cleaning import clean
from ml.text_pii import find, mask

COUNT = 400


def leaked(kind: str) -> list[str]:
    """Masked texts in which the planted value, or a telling piece of it, can still be read."""
    found = []
    for each in planted(kind, COUNT):
        value = clean(each.value).text.removeprefix("my name is ").removeprefix("Mrs ")
        masked = mask(clean(each.text).text)
        pieces = [
            piece for piece in value.split() if len(piece) > 5 and any(map(str.isdigit, piece))
        ]
        if value and any(piece in masked for piece in (value, *pieces)):
            found.append(masked)
    return found


@pytest.mark.parametrize("kind", ["email", "phone", "card", "iban"])
def test_recall_on_nasty_formats(kind: str) -> None:
    assert len(leaked(kind)) <= 0.02 * COUNT, leaked(kind)[:5]


@pytest.mark.parametrize("kind", ["name", "address"])
def test_names_and_addresses_are_mostly_found(kind: str) -> None:
    assert len(leaked(kind)) <= 0.1 * COUNT, leaked(kind)[:5]


@pytest.mark.parametrize("text", NUMBERS_OF_THINGS)
def test_numbers_of_things_stay(text: str) -> None:
    assert mask(text) == text


def test_the_kind_stands_where_the_value_stood() -> None:
    text = "I am Anna Smith, card 4111 1111 1111 1111, DE89 3704 0044 0532 0130 00 please"
    assert mask(text) == "I am [NAME], card [CARD], [IBAN] please"


def test_a_wrong_checksum_is_no_card() -> None:
    assert {found.kind for found in find("number 4111 1111 1111 1112")} != {"card"}


def test_a_mistyped_iban_goes_where_it_is_called_one() -> None:
    assert mask("IBAN: DE89 3704 0044 0532 0130 01") == "IBAN: [IBAN]"
    assert "DE89" in mask("code DE89 3704 0044 0532 0130 01 x")


def test_brands_stay_and_handles_of_people_go() -> None:
    assert mask("@Shoal ask @anna_k", keep={"shoal"}) == "@Shoal ask [HANDLE]"


@pytest.mark.parametrize(
    "text",
    [
        "I am Furious. This is Great! Thanks for nothing.",
        "Grace period, Will you help? May I return it in August?",
        "Hi there, I'm waiting since Monday",
        "THIS IS URGENT, I AM ANGRY",
        "Dear Customer Service, the Best Shop",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=300))
def test_findings_lie_in_order_and_apart(text: str) -> None:
    found = find(clean(text).text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(a.start < a.end for a in found)


@pytest.mark.parametrize("piece", ["a@", "1 ", "a-", "+", "A ", "Mr ", "12 A ", "at dot ", "DE12 "])
def test_no_text_takes_long(piece: str) -> None:
    text = clean(piece * 20_000).text
    started = time.process_time()
    mask(text)
    assert time.process_time() - started < 2


def test_it_keeps_up_with_ingestion() -> None:
    texts = [clean(each.text).text for kind in ("email", "name") for each in planted(kind, 1_000)]
    started = time.process_time()
    for text in texts:
        mask(text)
    assert len(texts) / (time.process_time() - started) > 2_000
