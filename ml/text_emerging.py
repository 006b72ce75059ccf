"""Terms that people use now and did not before, each with texts that show it.

Log-odds of a term in the newest texts against the older ones, with a Dirichlet prior from both
(Monroe, Colaresi & Quinn 2008): a rare word has to come often before it counts, and a word that is
always frequent never does. Only texts up to the instant in question are read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from ml.text_topic_names import content_words

PRIOR_WORDS = 500.0
LEAST_TEXTS = 4
Z = 4.0
"""Standard errors of the log-odds from which on a term is told."""


def emerging_terms(
    texts: Sequence[str],
    times: Sequence[datetime] | pd.Series,
    as_of: datetime,
    *,
    window: timedelta = timedelta(days=1),
    past: timedelta = timedelta(days=28),
    examples: int = 3,
) -> pd.DataFrame:
    """Find terms that are far more frequent in a window than in the time before.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean and masked.
    times : sequence of datetime, n texts
        UTC instants.
    as_of : datetime
        End of the window; what is later is not read.
    window, past : timedelta
        The newest texts, and how far back those before them reach.
    examples : int
        Texts shown of each term.

    Returns
    -------
    terms : DataFrame
        ``term``, ``texts`` (of the window), ``before`` (of the past), ``z``, ``examples`` (list of
        positions, the newest first); the most unusual first. A word that stands only in a told pair
        of words is left out.
    """
    stamps = pd.to_datetime(pd.Series(list(times))).astype("datetime64[us]")
    is_new = ((stamps > as_of - window) & (stamps <= as_of)).to_numpy()
    is_old = ((stamps > as_of - window - past) & (stamps <= as_of - window)).to_numpy()
    now, before = Counter[str](), Counter[str]()
    where: dict[str, list[int]] = {}
    for row in np.flatnonzero(is_new | is_old):
        words = set(content_words(texts[int(row)]))
        (now if is_new[row] else before).update(words)
        if is_new[row]:
            for word in words:
                where.setdefault(word, []).append(int(row))
    scores = _z_scores(now, before)
    told = sorted((term for term, z in scores.items() if z >= Z), key=lambda t: (-scores[t], t))
    rows = []
    for term in told:
        if " " not in term and any(
            re.search(rf"\b{re.escape(term)}\b", other) and now[other] >= 0.8 * now[term]
            for other in told
            if " " in other
        ):
            continue
        newest = sorted(where[term], key=lambda row: (stamps[row], row), reverse=True)
        rows.append((term, now[term], before[term], scores[term], newest[:examples]))
    return pd.DataFrame(rows, columns=["term", "texts", "before", "z", "examples"])


def telling_words(texts: Sequence[str], others: Sequence[str], most: int) -> tuple[str, ...]:
    """Words, or pairs that stand for both, that texts have far more often than others.

    Parameters
    ----------
    texts, others : sequences of str
        Clean and masked.
    most : int

    Returns
    -------
    tuple of str
        The most unusual first; empty where too few texts share a word.
    """
    now, before = Counter[str](), Counter[str]()
    for counted, said in ((now, texts), (before, others)):
        for text in said:
            counted.update(set(content_words(text)))
    scores = _z_scores(now, before)
    chosen: list[str] = []
    for term in sorted(scores, key=lambda each: (-scores[each], -len(each.split()), each)):
        parts = term.split()
        is_loose = len(parts) > 1 and now[term] < 0.8 * min(now[part] for part in parts)
        known = {part for other in chosen for part in other.split()}
        if scores[term] > 0 and not is_loose and not known.intersection(parts):
            chosen.append(term)
    return tuple(chosen[:most])


def _z_scores(now: Counter[str], before: Counter[str]) -> dict[str, float]:
    """Log-odds ratio over its standard error, of terms in enough texts of now."""
    total_now, total_before = sum(now.values()), sum(before.values())
    if not total_now or not total_before:
        return {}
    every = total_now + total_before
    found = {}
    for term, count in now.items():
        if count < LEAST_TEXTS:
            continue
        prior = PRIOR_WORDS * (count + before[term]) / every
        here, there = count + prior, before[term] + prior
        ratio = np.log(here / (total_now + PRIOR_WORDS - here)) - np.log(
            there / (total_before + PRIOR_WORDS - there)
        )
        found[term] = float(ratio / np.sqrt(1 / here + 1 / there))
    return found
