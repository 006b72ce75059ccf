"""What the seeds say of user agents and referrers as they come in real data."""

from collections.abc import Callable
from datetime import datetime

import pytest

from tests.dbt.dbt_lake import DbtLake

PEOPLE = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/138.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 11; CUBOT X30 Build/CUBOT; wv) Chrome/90.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/80 SogouMobileBrowser/5.2",
    "okhttp/4.12.0",
    "ShopApp/5.12 (iOS 18.5)",
]
PROGRAMS = {
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "crawler",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)": "crawler",
    "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm)": "crawler",
    "facebookexternalhit/1.1": "crawler",
    "Mozilla/5.0 AppleWebKit/537.36; compatible; GPTBot/1.2; +https://openai.com/gptbot": "crawler",
    "curl/8.5.0": "library",
    "python-requests/2.32.3": "library",
    "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0 Safari/537.36": "headless browser",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)": "monitor",
}
GROUPS = [
    ("web", None, None, "direct"),
    ("web", "(direct)", "spring", "direct"),
    ("web", "https://www.google.com/search?q=cup", None, "organic"),
    ("web", "https://www.google.co.uk", None, "organic"),
    ("web", "https://search.yahoo.co.jp/search", None, "organic"),
    ("web", "https://googleads.g.doubleclick.net/pagead", None, "paid"),
    ("web", "ads", None, "paid"),
    ("web", "https://l.facebook.com/", None, "social"),
    ("web", "https://t.co/abc", None, "social"),
    ("web", "https://netflix.com/", None, "referral"),
    ("web", "https://google.com.example.org/", None, "referral"),
    ("web", "https://mail.google.com/mail/u/0", None, "email"),
    ("web", "android-app://com.google.android.gm/", None, "email"),
    ("web", "https://www.awin1.com/cread.php", None, "affiliate"),
    ("web", None, "2024_spring_cpc", "paid"),
    ("web", None, "spring newsletter", "email"),
    ("web", None, "spring", "campaign"),
    ("app", None, None, "app"),
    ("Store", None, None, "store"),
    ("call", "search", None, "call"),
    ("push", None, "spring", "push"),
    (None, None, None, "direct"),
]


@pytest.fixture(scope="module")
def lake(new_lake: Callable[[], DbtLake]) -> DbtLake:
    """One visitor for each user agent, and one for each way to come."""
    lake = new_lake()
    event = {"occurred_at": datetime(2024, 3, 1), "event_type": "page_view", "batch_id": 1}
    names = ("channel", "referrer", "campaign_ref")
    visits = [dict(zip(names, group[:3], strict=True)) for group in GROUPS]
    visits += [{"user_agent": agent} for agent in [*PEOPLE, *PROGRAMS]]
    blank = dict.fromkeys([*names, "user_agent"])
    lake.load(
        ("events", {**event, **blank, **visit, "event_id": f"e{n}", "anonymous_ref": f"v{n:03}"})
        for n, visit in enumerate(visits)
    )
    lake.set_clock(datetime(2024, 3, 2), 1, 1)
    lake.dbt("run", "--select", "+int_sessions")
    return lake


def test_channels_referrers_and_campaigns_have_their_group(lake: DbtLake) -> None:
    sessions = lake.table("intermediate.int_sessions", ["visitor_key"])
    found = list(sessions["channel_group"])[: len(GROUPS)]
    assert list(zip(GROUPS, found, strict=True)) == [(group, group[3]) for group in GROUPS]


def test_programs_are_known_and_people_are_not_taken_for_them(lake: DbtLake) -> None:
    sessions = lake.table("intermediate.int_sessions", ["visitor_key"])
    reasons = list(sessions["bot_reason"])[len(GROUPS) :]
    expected = [None] * len(PEOPLE) + [f"agent: {reason}" for reason in PROGRAMS.values()]
    agents = [*PEOPLE, *PROGRAMS]
    assert dict(zip(agents, reasons, strict=True)) == dict(zip(agents, expected, strict=True))
