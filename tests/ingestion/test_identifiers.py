"""One spelling per mailbox, number and card; whatever is written, an answer and no error."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.ingestion.identifiers import (
    normal_email,
    normal_loyalty,
    normal_phone,
    placeholder_reason,
    placeholders,
)

NORMALISERS = (normal_email, normal_phone, normal_loyalty)
ODD = (
    "",
    "\0",
    "a\0@b.c",
    "🦈@🦈",
    "\u202eann@example.org",
    "＋４４ ２０ ７９４６ ０１２３",
    "آن@مثال.إختبار",
    "٠٢٠٧٩٤٦٠١٢٣",
    "ﬁ@ﬁ.org",
    "İ@İ.org",
    "ß" * 300,
    "U\u00a8",
    "\u1fa2\u00af@\u1fb7\u1ffd.org",
    "\u0131\u0302",
    "ﷺ" * 100,
    "@" * 1_000_000,
    "<" * 1_000_000 + "a@b.c",
    "9" * 1_000_000,
    "a" * 999_999 + "@",
)
letters = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1)
addresses = st.builds("{}@{}.org".format, letters, letters)
blanks = st.text(" \t\n\u00a0\u200b")
regions = st.sampled_from([None, "", "GB", "de", "UK", "XX", "France", "\0"])


@pytest.mark.parametrize("normalise", NORMALISERS)
@pytest.mark.parametrize("text", ODD, ids=lambda text: ascii(text[:12]))
def test_odd_texts_give_an_answer(normalise: Callable[[str], str | None], text: str) -> None:
    once = normalise(text)
    assert once is None or normalise(once) == once


@given(text=st.text())
def test_email_spelling_is_final(text: str) -> None:
    once = normal_email(text)
    assert once is None or normal_email(once) == once


@given(local=st.text(), domain=st.sampled_from(["gmail.com", "outlook.com", "example.org"]))
def test_email_spelling_is_final_at_every_provider(local: str, domain: str) -> None:
    once = normal_email(f"{local}@{domain}")
    assert once is None or normal_email(once) == once


@given(text=st.text() | st.text("+0123456789 ()-.x/#*;=", max_size=30), region=regions)
def test_phone_spelling_is_final_wherever_it_is_read(text: str, region: str | None) -> None:
    once = normal_phone(text, region)
    assert once is None or normal_phone(once, region) == normal_phone(once) == once


@given(text=st.text() | st.text("aB- –0"))
def test_loyalty_spelling_is_final(text: str) -> None:
    once = normal_loyalty(text)
    assert once is None or normal_loyalty(once) == once


@given(address=addresses, before=blanks, after=blanks)
def test_case_and_blanks_do_not_change_an_address(address: str, before: str, after: str) -> None:
    expected = normal_email(address)
    assert expected is not None or len(address) > 320
    assert normal_email(f"{before}{address.upper()}{after}") == expected
    assert normal_email(f"mailto:<{address.swapcase()}>") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ann.Lee+shop@GMail.com", "annlee@gmail.com"),
        ("annlee@googlemail.com", "annlee@gmail.com"),
        ("ann.lee+shop@outlook.com", "ann.lee@outlook.com"),
        ("ann.lee+shop@example.org", "ann.lee+shop@example.org"),
        ("<mailto:ann@example.org>", "ann@example.org"),
        ("ann＠example.org", "ann@example.org"),
        ("+shop@gmail.com", None),
        ("ann@lee@example.org", None),
        ("@example.org", None),
        ("ann@", None),
        ("ann", None),
    ],
)
def test_addresses(text: str, expected: str | None) -> None:
    assert normal_email(text) == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("020 7946 0123", "GB", "+442079460123"),
        ("020 7946 0123", "uk", "+442079460123"),
        ("020 7946 0123", None, None),
        ("020 7946 0123", "nowhere", None),
        ("+44 (0)20 7946 0123", "DE", "+442079460123"),
        ("0044 20 7946 0123", None, "+442079460123"),
        ("0044 20 7946 0123", "DE", "+442079460123"),
        ("tel:+44-20-7946-0123", None, "+442079460123"),
        ("+44 20 7946 0123 ext. 5", None, "+442079460123"),
        ("12", "GB", "+4412"),
        ("call me", "GB", None),
    ],
)
def test_numbers(text: str, country: str | None, expected: str | None) -> None:
    assert normal_phone(text, country) == expected


def test_internal_numbers_that_no_country_gives_out_stay_apart() -> None:
    numbers = [normal_phone(f"+4900{number}", "DE") for number in range(20_000_000, 20_000_050)]
    assert None not in numbers
    assert len(set(numbers)) == 50


@pytest.mark.parametrize(
    "text",
    ["test@shop.eu", "NoReply@shop.eu", "none@none.com", "asdf@gmail.com", "info@shop.eu",
     "unknown@unknown", "a@test.com", "example@shop.eu", "n/a@shop.eu"],
)  # fmt: skip
def test_stand_ins_for_an_address_are_named(text: str) -> None:
    assert placeholder_reason("email", normal_email(text))


@pytest.mark.parametrize(
    "text",
    ["ann.lee@example.com", "ann@example.org", "tess.tester@shop.eu", "infante@shop.eu",
     "nadia@example.net", "abcarter@gmail.com", "anonda@shop.eu"],
)  # fmt: skip
def test_people_are_no_placeholders(text: str) -> None:
    normal = normal_email(text)
    assert normal is not None
    assert placeholder_reason("email", normal) is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("+44 0000000000", True),
        ("+1 111 111 1111", True),
        ("+49 1234567890", True),
        ("+44 20 1234567", True),
        ("+1 212 555 0123", True),
        ("+44 20 7946 0123", False),
        ("+49 30 98765012", False),
    ],
)
def test_stand_ins_for_a_number_are_named(text: str, named: bool) -> None:
    normal = normal_phone(text)
    assert normal is not None
    assert (placeholder_reason("phone", normal) is not None) is named


def test_every_reviewed_pattern_has_a_kind_and_a_reason() -> None:
    assert {rule.kind for rule in placeholders()} == {"email", "phone", "loyalty"}
    assert all(rule.reason and rule.pattern.pattern for rule in placeholders())
