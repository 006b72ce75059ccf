"""Issues: one for each cause, named by what is said, with no text of a customer in the alert."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ml.text_issues import (
    COMPLAINTS,
    MENTIONS,
    NEW_COMPLAINT,
    PRODUCT_COMPLAINTS,
    Issue,
    burst_issues,
    finding_of,
    named,
    term_issues,
)

BEGIN = datetime(2026, 3, 1)
BURST = BEGIN + timedelta(days=40, hours=9, minutes=20)
FIRST = (0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
"""Hours after the start at which the first texts of a burst come."""


def said(*hours: float, subject: str = "lamp", since: datetime = BURST) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "feedback_ref": [f"{subject}-{since:%d}-{hour}" for hour in hours],
            "posted_at": pd.to_datetime([since + timedelta(hours=hour) for hour in hours]),
            "subject": subject,
        }
    )


def bursts(*frames: pd.DataFrame, kind: str = PRODUCT_COMPLAINTS) -> list[Issue]:
    return burst_issues(pd.concat(frames), kind, observed_from=BEGIN, watched=100)


def test_an_issue_goes_on_until_a_pause_and_holds_its_own_texts_alone() -> None:
    texts = said(*FIRST, 1, 3, 5, 20)
    (issue,) = bursts(texts, said(0.1, subject="chair"), said(3, since=BEGIN))
    assert (issue.subject, issue.texts, len(issue.refs)) == ("lamp", 10, 10)
    assert issue.started_at == BURST <= issue.noticed_at <= BURST + timedelta(hours=0.3)
    assert issue.last_seen_at == BURST + timedelta(hours=5)
    assert issue.refs[0].endswith("-5")
    assert issue.score > 1


def test_more_texts_later_change_neither_beginning_nor_id() -> None:
    (early,) = bursts(said(*FIRST))
    (late,) = bursts(said(*FIRST, 0.5, 1, 2, 3))
    assert (early.issue_id, early.noticed_at) == (late.issue_id, late.noticed_at)
    assert finding_of(late).score > finding_of(early).score


def test_texts_that_mention_two_names_are_one_issue() -> None:
    lamp, brand = said(*FIRST, 0.5), said(*FIRST)
    both = brand.assign(subject="brand")
    (issue,) = bursts(lamp, both, kind=MENTIONS)
    assert issue.subject == "lamp"
    other = both.assign(feedback_ref=both["feedback_ref"] + " of another")
    assert {issue.subject for issue in bursts(lamp, other, kind=MENTIONS)} == {"lamp", "brand"}


def talk(count: int, *new: str) -> pd.DataFrame:
    """Usual complaints of a month, and new ones of its last day."""
    rng = np.random.default_rng(0)
    usual = ["parcel late again", "support never answers", "refund overdue", "lamp broke quickly"]
    hours = rng.uniform(0, 28 * 24, count)
    rows = [(BEGIN + timedelta(hours=h), str(rng.choice(usual))) for h in hours]
    rows += [(BEGIN + timedelta(days=28, hours=2 + i / 10), text) for i, text in enumerate(new)]
    frame = pd.DataFrame(rows, columns=["posted_at", "body"])
    return frame.assign(feedback_ref=[f"t{row}" for row in range(len(frame))])


AS_OF = BEGIN + timedelta(days=28, hours=20)


def test_new_words_of_the_same_texts_are_one_issue() -> None:
    texts = talk(1_200, *["battery fire in the charger"] * 14, *["password leak"] * 12)
    found = term_issues(texts, AS_OF, NEW_COMPLAINT)
    assert len(found) == 2
    assert {"battery", "leak"} <= {
        word for issue in found for said in issue.words for word in said.split()
    }
    assert sorted(issue.texts for issue in found) == [12, 14]
    assert all(issue.last_seen_at < AS_OF for issue in found)
    assert term_issues(talk(1_200), AS_OF, NEW_COMPLAINT) == []


def test_an_issue_keeps_the_term_that_stood_for_it() -> None:
    texts = talk(1_200, *["battery fire in the charger"] * 14)
    (issue,) = term_issues(texts, AS_OF, NEW_COMPLAINT)
    other = next(word for word in issue.words if word != issue.subject)
    (same,) = term_issues(texts, AS_OF, NEW_COMPLAINT, known=[other])
    assert same.subject == other


def test_words_are_those_of_the_texts_without_the_products_name() -> None:
    (issue,) = bursts(said(*FIRST))
    told = named(
        issue,
        ["The Urban Shears' blade snapped.", "Urban Shears: snapped blade!"] * 3,
        ["parcel late", "lamp broke"] * 20,
        leave_out="Urban Shears",
    )
    assert set(" ".join(told.words).split()) == {"blade", "snapped"}


def test_an_alert_has_words_and_no_text() -> None:
    (issue,) = bursts(said(*FIRST))
    finding = finding_of(named(issue, ["my secret broke"] * 5, ["fine"]), "Urban Shears")
    assert finding.message.startswith("7 complaints about Urban Shears (lamp), where ")
    assert finding.rows == issue.refs
    assert finding.kind in COMPLAINTS
    assert "my secret" not in finding.message
