"""A customer's page says in words what is there, what is not yet, and what is withheld."""

from dataclasses import replace
from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from ml.reasons import Phrase
from orchestration.cli import app
from orchestration.customer_cli import print_page
from orchestration.customer_facts import CustomerFacts
from orchestration.customer_page import customer_page
from orchestration.documents import to_html
from orchestration.settings import settings

NOW = datetime(2026, 3, 31, 12, 0)
PHRASES = {
    "days_since_last_order": Phrase("days since the last order", unit="days"),
    "revenue_365d": Phrase("revenue of the last 365 days", unit="currency"),
    "order_gap_mean": Phrase("usual days between orders", missing="has not bought twice"),
}
FACTS = CustomerFacts(
    customer_key="a1b2",
    as_of=NOW,
    withheld=False,
    profile={
        "country": "DE",
        "city": None,
        "birth_year": 1980,
        "signed_up_at": datetime(2024, 1, 2, 3, 4),
        "first_order_date": date(2024, 2, 3),
        "orders": 7,
        "revenue": 1234.5,
        "currency": "EUR",
        "refs": 2,
    },
    consents={"analytics": True, "personalisation": None, "marketing": False},
    features=[
        {"feature": "days_since_last_order", "value": 12.0, "median": 40.0, "share_below": 0.2},
        {"feature": "revenue_365d", "value": 820.0, "median": 99.0, "share_below": 0.9},
        {"feature": "order_gap_mean", "value": None, "median": 31.0, "share_below": None},
    ],
    segment={
        "segment_id": 3,
        "segment_name": "loyal [big] spenders",
        "distance": 0.4,
        "as_of": NOW,
        "model_version": "segments:2",
    },
    segment_history=[{"since": NOW, "segment_id": 3, "segment_name": "loyal [big] spenders"}],
    moves=[
        {
            "moved_at": NOW,
            "from_segment_name": "newcomers",
            "to_segment_name": "loyal [big] spenders",
            "cause": "behaviour",
            "why": ["orders so far: 2 to 7", "revenue so far: 40 to 820"],
        }
    ],
    rules=[{"rule": "high_intent", "title": "High intent to purchase", "entered_at": NOW}],
    scores=[
        {"task": "churn", "value": 0.25, "median": 0.5, "share_below": 0.1, "low": None,
         "high": None},
        {"task": "value", "value": 181.5, "median": 9.0, "share_below": 0.8, "low": 0.0,
         "high": 521.0},
    ],
    scored={"as_of": NOW, "model_versions": "churn:4 value:2", "top_reasons": ["a reason"]},
    score_history=[
        {"as_of": NOW, "churn_probability": 0.25, "purchase_probability": None,
         "expected_value": 181.5, "segment_name": "loyal [big] spenders"}
    ],
    responses=[{"channel": "email", "probability": 0.031, "as_of": NOW}],
    categories=[{"category": "toys", "probability": 0.5, "rank": 1, "as_of": NOW}],
    steps=[
        {"occurred_at": NOW, "step": "order_completed", "channel": "web", "campaign_ref": "spring",
         "stage": "loyalty", "value": 59.9}
    ],
)  # fmt: skip
HORIZONS = {"churn": 60, "value": 60}
SECTIONS = (
    "Profile",
    "Consent",
    "Buying and behaviour",
    "Segment",
    "Rule segments",
    "Scores",
    "Response to a message, by channel",
    "Next category",
    "Last steps, newest first",
)


def terminal(facts: CustomerFacts) -> str:
    console = Console(width=160, record=True, file=StringIO())
    print_page(console, customer_page(facts, PHRASES, HORIZONS))
    return console.export_text()


def page(facts: CustomerFacts) -> str:
    return to_html("Customer", customer_page(facts, PHRASES, HORIZONS))


@pytest.mark.parametrize("written", [terminal, page])
def test_terminal_and_html_say_the_same(written: object) -> None:
    said = written(FACTS)  # type: ignore[operator]
    for words in (
        *SECTIONS,
        "Customer a1b2",
        "1,234.50 EUR",
        "no decision known",
        "refused",
        "12 days",
        "90% of customers",
        "has not bought twice",
        "loyal [big] spenders",
        "orders so far: 2 to 7; revenue so far: 40 to 820",
        "High intent to purchase, since 2026-03-31 12:00",
        "Churn: no purchase within 60 days",
        "0.00 EUR to 521.00 EUR",
        "a reason",
        "churn:4 value:2",
        "3.1%",
        "toys",
        "order completed",
        "spring",
    ):
        assert words in said, words


def test_refused_analytics_shows_what_serving_needs_and_says_so() -> None:
    said = terminal(replace(FACTS, withheld=True))
    assert "This customer refused analytics" in said
    assert "Last orders, newest first" in said
    assert "1,234.50 EUR" in said
    for hidden in ("loyal [big] spenders", "High intent", "Churn", "toys", "a reason", "12 days"):
        assert hidden not in said


def test_what_is_not_there_yet_is_said_in_words() -> None:
    bare = replace(
        FACTS, features=[], segment=None, segment_history=[], moves=[], rules=[], scores=[],
        scored=None, score_history=[], responses=[], categories=[], steps=[],
    )  # fmt: skip
    said = terminal(bare)
    for words in (
        "No features yet.",
        "No segment yet.",
        "No move between segments yet.",
        "In none now.",
        "No scores yet",
        "no response model yet",
        "no category model yet",
        "None is known.",
    ):
        assert words in said
    assert "This deployment has no rule segments." in terminal(replace(bare, rules=None))
    unscored = {"as_of": NOW, "model_versions": "none", "top_reasons": ["not scored: no model"]}
    assert "not scored: no model" in terminal(replace(bare, scored=unscored))


def test_a_task_without_a_model_in_force_has_no_invented_horizon() -> None:
    said = terminal(replace(FACTS, scores=FACTS.scores[:1]))
    assert "within 60 days" in said
    blocks = customer_page(FACTS, PHRASES, {})
    assert "Churn: no purchase within its horizon" in to_html("Customer", blocks)


def test_nothing_in_the_facts_is_taken_for_markup() -> None:
    named = replace(FACTS, scored={**(FACTS.scored or {}), "top_reasons": ["<b>[red]x[/red]</b>"]})
    assert "&lt;b&gt;[red]x[/red]&lt;/b&gt;" in page(named)
    assert "<b>[red]x[/red]</b>" in terminal(named)


def test_without_a_lake_the_command_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOAL_HOME", str(tmp_path / "nothing"))
    settings.cache_clear()
    refused = CliRunner().invoke(app, ["customer", "C1"])
    settings.cache_clear()
    assert refused.exit_code == 1
    assert "no lake at" in refused.stderr
    assert "make demo" in refused.stderr
    assert not (tmp_path / "nothing").exists()
