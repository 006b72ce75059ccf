"""Laws of incidents: one per cause, the same however often and in which order it is found."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ml.anomalies import Finding
from ml.incidents import COOL_DOWN, Incident, merge

START = pd.Timestamp("2026-05-01")


def finding(hours: float = 0, lasts: float = 1, **values: object) -> Finding:
    since = START + pd.Timedelta(hours=hours)
    end = since + pd.Timedelta(hours=lasts)
    plain = Finding("scraping", "bot", "high", 1.5, "much", since, end, end, "words", ("e1",))
    return replace(plain, **values)  # type: ignore[arg-type]


def after(*batches: list[Finding]) -> list[Incident]:
    known: dict[str, Incident] = {}
    for batch in batches:
        known |= {incident.alert_id: incident for incident in merge(list(known.values()), batch)}
    return sorted(known.values(), key=lambda incident: incident.finding.since)


def test_the_same_twice_changes_nothing() -> None:
    once = merge([], [finding()])
    assert len(once) == 1
    assert merge(once, [finding()]) == []


def test_what_goes_on_within_the_cool_down_is_one_incident() -> None:
    (incident,) = after([finding(0)], [finding(20, severity="critical", score=3.0)])
    assert incident.finding.since == START
    assert incident.finding.last_seen_at == START + pd.Timedelta(hours=21)
    assert (incident.finding.severity, incident.finding.score) == ("critical", 3.0)


def test_after_the_cool_down_it_is_a_new_incident() -> None:
    later = COOL_DOWN / pd.Timedelta(hours=1) + 2
    assert len(after([finding(0)], [finding(later)])) == 2


def test_another_kind_or_subject_is_another_incident() -> None:
    found = [finding(), finding(subject="other"), finding(kind="card_testing")]
    assert len(after(found)) == 3


def test_a_lesser_finding_does_not_soften_an_incident() -> None:
    grave = finding(severity="critical", score=9.0, message="grave")
    (incident,) = after([grave], [finding(2, severity="medium", score=1.0, message="mild")])
    assert (incident.finding.severity, incident.finding.score) == ("critical", 9.0)
    assert incident.finding.message == "grave"


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.data())
def test_batches_repeated_and_cut_anyhow_give_the_same_incidents(
    hours: list[int], data: st.DataObject
) -> None:
    found = [finding(hour) for hour in sorted(hours)]
    whole = after(found)
    cut = data.draw(st.integers(0, len(found)))
    overlap = data.draw(st.integers(0, cut))
    assert after(found[:cut], found[overlap:], found[overlap:]) == whole
