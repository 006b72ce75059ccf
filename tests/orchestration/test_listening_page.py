"""The page of what customers say: whole, true to the tables, harmless, and at work in a browser."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from orchestration.listening.page import inert_json, listening_page
from orchestration.listening.page_data import DAYS, LONGEST, PageData, read_page_data, shortened
from tests.orchestration.listening_room import ListeningRoom, listening_room, simulated_market

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NOW = datetime(2026, 11, 22, 9)
HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"alert(1)\"> & more"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> ListeningRoom:
    """A market whose last text means harm, with both bursts as issues and some segments."""
    market = simulated_market(tmp_path_factory.mktemp("market"), seed=5)
    room = listening_room(tmp_path_factory.mktemp("listening") / "home")
    room.sell(market.products)
    last = market.texts["posted_at"].max().to_pydatetime()
    evil = market.texts.tail(1).assign(feedback_ref="evil", body=HOSTILE, topic_name=HOSTILE)
    texts = pd.concat([market.texts, evil.assign(posted_at=last)], ignore_index=True)
    customers = [f"c{i % 30}" if i % 5 else None for i in range(len(texts))]
    room.say(texts.assign(customer_key=customers), last + timedelta(hours=1))
    with room.lake.writer("test: segments") as connection:
        connection.execute(
            "insert into marts.customer_segments (customer_key, as_of, segment_id, segment_name, "
            "model_version, assigned_at, batch_id) select 'c' || i, timestamp '2026-01-01', i % 2, "
            "case when i % 2 = 0 then 'loyal <b>' else 'new' end, 'v', timestamp '2026-01-01', 1 "
            "from range(20) as _(i)"
        )
    return room


@pytest.fixture(scope="module")
def data(room: ListeningRoom) -> PageData:
    with room.lake.reader(latest=True) as connection:
        return read_page_data(connection)


def test_counts_are_those_of_the_tables(room: ListeningRoom, data: PageData) -> None:
    ((texts, complaints),) = room.rows(
        "select count(*), count(*) filter (where sentiment = 'negative') "
        f"from marts.feedback_signals where posted_at >= timestamp '{data.since}'"
    )
    assert data.texts == texts > 100
    assert sum(row["complaints"] for row in data.days) == complaints
    assert {row["segment"] for row in data.days} == {
        "loyal <b>", "new", "no segment", "nobody known",
    }  # fmt: skip
    assert all(0 <= row["day"] <= DAYS for row in data.days)
    assert {issue["kind"] for issue in data.issues} >= {"complaint_burst"}


def test_the_page_says_what_is_in_it(data: PageData) -> None:
    page = listening_page(data, NOW)
    assert "Written\n2026-11-22 09:00 UTC" in page
    for issue in data.issues:
        assert html.escape(issue["subject_name"] or issue["subject"]) in page
        assert html.escape(issue["examples"][0]) in page
    quiet = listening_page(replace(data, issues=[]), NOW)
    assert "Nothing out of the usual was heard." in quiet


def test_nothing_that_customers_write_gets_out_of_its_place(data: PageData) -> None:
    page = listening_page(data, NOW)
    assert HOSTILE not in page
    assert page.count("<script") == 2
    assert not re.search(r'(src|href)="', page)
    (embedded,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert any(example[-1] == HOSTILE for example in json.loads(embedded)["examples"])
    assert "script-src 'sha256-" in page


def test_json_is_inert_and_the_same() -> None:
    value = ["</script>", "<!--", "a & b", "line\u2028end", "ü"]
    assert json.loads(inert_json(value)) == value
    assert not set(inert_json(value)) & set("<>&\u2028")


def test_long_texts_are_cut() -> None:
    assert shortened("x" * LONGEST) == "x" * LONGEST
    assert len(shortened("x" * (LONGEST + 1))) == LONGEST


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to look with")
def test_a_browser_draws_and_filters_it(data: PageData, tmp_path: Path) -> None:
    path = tmp_path / "listening.html"
    path.write_text(listening_page(data, NOW))
    reviews = sum(row["texts"] for row in data.days if row["source"] == "review")
    whole, filtered = seen(path, ""), seen(path, "#source=review")
    for dom, texts in ((whole, data.texts), (filtered, reviews)):
        (found,) = re.findall(r"<output[^>]*>(.*?)</output>", dom)
        assert found.startswith(f"{texts:,} texts, mood ")
        assert dom.count("<svg") == 5  # mood, topics, brands, products, competitors
        assert "<title>What customers say</title>" in dom
        assert "<img" not in dom
    assert "ticket ·" in whole
    assert "ticket ·" not in filtered
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def seen(path: Path, fragment: str) -> str:
    """The document as a browser has it after its script ran."""
    assert CHROMIUM is not None
    shown = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-sync"),
            *("--disable-component-update", f"--user-data-dir={path.parent / 'profile'}"),
            *("--virtual-time-budget=5000", "--window-size=1280,3200"),
            *(f"--screenshot={path.with_suffix('.png')}", "--dump-dom", path.as_uri() + fragment),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    return shown.stdout
