"""The page of listening says which texts nothing has read, why, and what to do about it."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest

from orchestration.defs.jobs import daily_job
from orchestration.listening.page import listening_page
from orchestration.listening.page_data import DAYS, PageData, read_page_data
from orchestration.listening.report import PAGE, write_listening_report
from orchestration.settings import PROJECT_ROOT
from orchestration.texts.models import INSTALL_COMMAND
from tests.orchestration.listening_room import ListeningRoom, listening_room

NOW = datetime(2026, 11, 22, 9)
UNREAD = ["not_installed"] * 3 + ["language"] * 2 + ["not_read_yet", "empty"]
READ = 13


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> ListeningRoom:
    """Twenty texts, seven of them without a mood; one more is older than what the page shows."""
    room = listening_room(tmp_path_factory.mktemp("listening") / "home")
    reasons = [*UNREAD, *[None] * READ, "not_installed"]
    ages = [timedelta(hours=i) for i in range(len(reasons) - 1)] + [timedelta(days=DAYS + 2)]
    texts = pd.DataFrame(
        {
            "feedback_ref": [f"f{i}" for i in range(len(reasons))],
            "posted_at": [NOW - age for age in ages],
            "source_type": "ticket",
            "body": [f"text {i}" for i in range(len(reasons))],
            "sentiment": ["positive" if reason is None else None for reason in reasons],
            "sentiment_score": [0.5 if reason is None else None for reason in reasons],
            "unread_reason": reasons,
        }
    )
    room.say(texts, NOW + timedelta(hours=1))
    return room


@pytest.fixture(scope="module")
def data(room: ListeningRoom) -> PageData:
    with room.lake.reader(latest=True) as connection:
        return read_page_data(connection)


def notice(page: str) -> str:
    """The words of the notice; empty where the page has none."""
    found = re.findall(r'<div class="notice" role="note">(.*?)</div>', page, re.DOTALL)
    assert len(found) <= 1
    return html.unescape(re.sub("<[^>]+>", " ", "".join(found)))


def test_unread_texts_are_counted_by_their_reason(data: PageData) -> None:
    assert data.texts == len(UNREAD) + READ
    assert data.unread == {"not_installed": 3, "language": 2, "not_read_yet": 1, "empty": 1}


def test_some_unread_texts_are_told_with_their_reasons(data: PageData) -> None:
    said = notice(listening_page(data, NOW))
    assert "7 of 20 texts were not read" in said
    assert re.findall(r"(\d+): ", said) == ["3", "2", "1", "1"]
    for part in ("not installed", "wait to be read", "language", "no words"):
        assert part in said


def test_where_nothing_is_read_the_page_says_how_to_begin(data: PageData) -> None:
    said = notice(listening_page(replace(data, unread={"not_installed": data.texts}), NOW))
    assert "None of the 20 texts was read" in said
    assert INSTALL_COMMAND in said
    assert daily_job.name in said
    for file in ("README.md", "docs/text.md"):
        assert INSTALL_COMMAND in (PROJECT_ROOT / file).read_text()


def test_where_all_is_read_there_is_no_notice(data: PageData) -> None:
    assert notice(listening_page(replace(data, unread={}), NOW)) == ""


def test_texts_of_another_language_need_nothing_installed(data: PageData) -> None:
    said = notice(listening_page(replace(data, unread={"language": 1}), NOW))
    assert "1 of 20 texts was not read" in said
    assert "pip install" not in said


def test_reading_that_is_switched_off_is_named(room: ListeningRoom) -> None:
    on, off = (room.values.model_copy(update={"read_texts": reads}) for reads in (True, False))
    said = {}
    for values in (on, off):
        assert write_listening_report(room.lake, values)["unread"] == len(UNREAD)
        said[values.read_texts] = notice((values.reports / PAGE).read_text())
    assert "SHOAL_READ_TEXTS=false" in said[False]
    assert "SHOAL_READ_TEXTS" not in said[True]


def test_a_page_without_any_text_says_how_texts_arrive(data: PageData) -> None:
    empty = replace(data, days=[], topics=[], voices=[], examples=[], unread={})
    page = listening_page(empty, NOW)
    assert "There is no text" in notice(page)
    assert "landing/feedback" in notice(page)
    assert "<section" not in page
    assert "<script" not in page
    assert "<section" in listening_page(data, NOW)
