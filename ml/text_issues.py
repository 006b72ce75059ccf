"""What customers suddenly talk about: bursts and new terms as issues, one for each cause.

A burst of complaints about a product is also a burst of its topic, and brings new words. So texts
that one issue explains are left out of those judged after it: first products, then topics, then
terms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ml.anomalies import SAMPLE_ROWS, Finding
from ml.incidents import alert_id_of
from ml.text_bursts import Burst, BurstSettings, find_bursts
from ml.text_emerging import Z, emerging_terms, telling_words
from ml.text_topic_names import name_topics

PRODUCT_COMPLAINTS = "complaint_burst"
TOPIC_COMPLAINTS = "topic_burst"
MENTIONS = "mention_burst"
NEW_COMPLAINT = "emerging_complaint"
NEW_TERM = "emerging_term"
COMPLAINTS = (PRODUCT_COMPLAINTS, TOPIC_COMPLAINTS, NEW_COMPLAINT)
"""Kinds that people are alerted of."""
PAUSE = timedelta(hours=6)
"""A burst is over when nothing is said for so long, or when the subject's rest is."""
HIGH_FROM = 3.0
"""Score from which on an issue is of high severity."""
LEAST_NEW_TEXTS = 6
"""Texts of a new term: with fewer, a few customers who use the same word are news."""
MOST_WORDS = 4


@dataclass(frozen=True)
class Issue:
    """One thing that is suddenly talked about.

    Attributes
    ----------
    kind : one of the constants of this module.
    subject : the product, topic or name, or the term that stands for it.
    words : what is said, the most telling first.
    started_at, noticed_at, last_seen_at : its first text, the text that made it improbable, and
        its newest one.
    texts : how many there are so far.
    expected : what the past lets one expect, in an hour (burst) or a day (new term).
    score : how many times as many texts as were improbable enough to be told; of a new term its
        standard errors over those that are told.
    refs : its texts, the newest first.
    """

    kind: str
    subject: str
    words: tuple[str, ...]
    started_at: datetime
    noticed_at: datetime
    last_seen_at: datetime
    texts: int
    expected: float
    score: float
    refs: tuple[str, ...]

    @property
    def issue_id(self) -> str:
        """That of the alert that its first finding opens."""
        return alert_id_of(finding_of(self))


def burst_issues(
    texts: pd.DataFrame,
    kind: str,
    *,
    observed_from: datetime,
    watched: int,
    settings: BurstSettings | None = None,
) -> list[Issue]:
    """Bursts among texts, each with all that followed it without a pause; one for each cause.

    Parameters
    ----------
    texts : DataFrame
        ``feedback_ref``, ``posted_at`` (UTC), ``subject``: everything said about these subjects
        since ``observed_from``.
    kind : str
    observed_from : datetime
        A full hour.
    watched : int
        Subjects that there are.

    Returns
    -------
    list of Issue
        Without words, in the order in which they could be noticed.
    """
    settings = settings or BurstSettings()
    ordered = texts.sort_values(["posted_at", "feedback_ref"], kind="stable", ignore_index=True)
    bursts = find_bursts(
        ordered["posted_at"], ordered["subject"], settings,
        observed_from=observed_from, watched=watched,
    )  # fmt: skip
    by_subject = dict(tuple(ordered.groupby("subject", sort=False)))
    rest = timedelta(hours=settings.rest_hours)
    return _one_per_cause(
        [_whole(burst, by_subject[burst.subject], kind, rest) for burst in bursts]
    )


def _one_per_cause(issues: list[Issue]) -> list[Issue]:
    """Leave out issues whose texts are mostly those of a larger one: they mention both names."""
    taken: set[str] = set()
    kept = []
    for issue in sorted(issues, key=lambda one: (-one.texts, one.subject)):
        if len(taken.intersection(issue.refs)) < issue.texts / 2:
            kept.append(issue)
            taken.update(issue.refs)
    return sorted(kept, key=lambda one: (one.noticed_at, one.subject))


def _whole(burst: Burst, texts: pd.DataFrame, kind: str, rest: timedelta) -> Issue:
    since = texts[texts["posted_at"].between(burst.started_at, burst.started_at + rest)]
    is_pause = since["posted_at"].diff() > PAUSE
    episode = since[is_pause.cumsum() == 0]
    return Issue(
        kind=kind,
        subject=burst.subject,
        words=(),
        started_at=burst.started_at,
        noticed_at=burst.noticed_at,
        last_seen_at=episode["posted_at"].iloc[-1].to_pydatetime(),
        texts=len(episode),
        expected=burst.expected,
        score=len(episode) / burst.count,
        refs=tuple(episode["feedback_ref"].iloc[::-1]),
    )


def term_issues(
    texts: pd.DataFrame,
    as_of: datetime,
    kind: str,
    *,
    known: Sequence[str] = (),
    least: int = LEAST_NEW_TEXTS,
) -> list[Issue]:
    """New terms of the last day; those of the same texts are one issue.

    Parameters
    ----------
    texts : DataFrame
        ``feedback_ref``, ``posted_at``, ``body`` (clean and masked) of the last day and of a month
        before it, or a sample of that.
    as_of : datetime
        What is later is not read.
    known : sequence of str
        Terms that stand for issues told lately: they go on doing so.
    """
    window, past = timedelta(days=1), timedelta(days=28)
    terms = emerging_terms(
        texts["body"].tolist(), texts["posted_at"], as_of,
        window=window, past=past, examples=len(texts),
    )  # fmt: skip
    groups: list[tuple[list[str], list[int], float]] = []
    for row in terms[terms["texts"] >= least].to_dict("records"):
        said = set(row["examples"])
        home = next((g for g in groups if len(said & set(g[1])) >= len(said) / 2), None)
        if home is None:
            groups.append(([row["term"]], row["examples"], row["z"]))
        else:
            home[0].append(row["term"])
    issues = []
    for words, rows, z in groups:
        times = texts["posted_at"].iloc[rows]
        before = terms.loc[terms["term"] == words[0], "before"].iloc[0]
        subject = next((word for word in words if word in known), words[0])
        issues.append(
            Issue(
                kind, subject, tuple(words[:MOST_WORDS]),
                times.min().to_pydatetime(), times.max().to_pydatetime(),
                times.max().to_pydatetime(), len(rows), float(before) * (window / past), z / Z,
                tuple(texts["feedback_ref"].iloc[rows]),
            )
        )  # fmt: skip
    return issues


def named(issue: Issue, said: Sequence[str], others: Sequence[str], leave_out: str = "") -> Issue:
    """The issue with the words that set its texts apart from others.

    Parameters
    ----------
    said, others : sequences of str
        Bodies of the issue's texts, and of complaints as they usually are.
    leave_out : str
        What everybody knows already: the name of the product.
    """
    known = {word.lower() for word in leave_out.split()}
    texts = [_without(text, known) for text in said]
    words = telling_words(texts, [_without(text, known) for text in others], MOST_WORDS)
    if not words:
        words = name_topics(texts, np.zeros(len(texts), dtype=np.int64), 1)[0][:MOST_WORDS]
    return replace(issue, words=words)


def _without(text: str, words: set[str]) -> str:
    return " ".join(
        word
        for word in text.split()
        if re.sub(r"['’]s$", "", word.lower().strip(".,;:!?()'’\"")) not in words
    )


def finding_of(issue: Issue, name: str = "") -> Finding:
    """An issue as an alert; it holds words of many texts and no text.

    Parameters
    ----------
    name : str
        What people call the subject, where that is a number.
    """
    about = f", about: {', '.join(issue.words)}" if issue.words else ""
    is_term = issue.kind in (NEW_COMPLAINT, NEW_TERM)
    usual = f"{issue.expected:,.2g} {'a day' if is_term else 'an hour'} are usual"
    called = f"{name} ({issue.subject})" if name else issue.subject
    what = "complaints" if issue.kind in COMPLAINTS else "texts"
    verb = "that say" if is_term else "about"
    return Finding(
        kind=issue.kind,
        subject=issue.subject,
        severity="high" if issue.score >= HIGH_FROM else "medium",
        score=issue.score,
        unusual=f"{issue.score:.1f} times the least that is told",
        since=pd.Timestamp(issue.started_at),
        detected_at=pd.Timestamp(issue.noticed_at),
        last_seen_at=pd.Timestamp(issue.last_seen_at),
        message=f"{issue.texts:,} {what} {verb} {called}, where {usual}{about}",
        rows=issue.refs[:SAMPLE_ROWS],
    )
