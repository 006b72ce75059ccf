"""Have texts changed: their language, length, mood, topics, and the words that they are made of.

Columns are compared by `ml.drift`. Words have no distribution that one could compare, so they are
by a classifier that is taught on half of the texts which window each is from, and judges the other
half: where the windows talk alike its scores are distributed alike.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.drift import DriftResult, drift_report

COLUMNS = ("language", "words", "sentiment_score", "sentiment", "intent", "topic", "source_type")
LEAST_TEXTS = 100
"""Texts of a window below which nothing can be said."""
RARE = 20
"""The most frequent values of a category that are told apart; all others are one."""
NONE = "none"


def text_drift(
    reference: pd.DataFrame, current: pd.DataFrame, *, seed: int = 0, sample: int = 5_000
) -> DriftResult:
    """Compare the texts of two windows of time.

    Parameters
    ----------
    reference, current : DataFrame
        One row per text: ``body``, ``language``, ``sentiment_score``, ``sentiment``, ``intent``,
        ``topic``, ``source_type``.
    seed, sample : int
        Seed and size of the sample of each window.

    Returns
    -------
    DriftResult
        Of `COLUMNS` (``words`` is their number) and ``wording``.

    Raises
    ------
    ValueError
        A window has fewer than `LEAST_TEXTS` texts.
    """
    for role, table in (("reference", reference), ("current", current)):
        if len(table) < LEAST_TEXTS:
            raise ValueError(
                f"the {role} window has {len(table)} texts: {LEAST_TEXTS} are needed to compare"
            )
    before = reference.sample(min(sample, len(reference)), random_state=seed)
    after = current.sample(min(sample, len(current)), random_state=seed)
    words_before, words_after = _wording(before["body"], after["body"], seed)
    frames = _categories(before, after)
    frames = [
        frame.assign(
            words=body.map(lambda text: len(text.split())).to_numpy(dtype=float),
            sentiment_score=pd.to_numeric(frame["sentiment_score"]).astype(float),
            wording=scores,
        )
        for frame, body, scores in zip(
            frames, (before["body"], after["body"]), (words_before, words_after), strict=True
        )
    ]
    return drift_report(frames[0], frames[1], [*COLUMNS, "wording"], seed=seed, sample=sample)


def _categories(before: pd.DataFrame, after: pd.DataFrame) -> list[pd.DataFrame]:
    """Categories as texts, nulls as one of them: fewer topics than before are drift, too."""
    frames = [before.reset_index(drop=True), after.reset_index(drop=True)]
    for name in ("language", "sentiment", "intent", "topic", "source_type"):
        columns = [frame[name].astype(object).where(frame[name].notna(), NONE) for frame in frames]
        frequent = pd.concat(columns).value_counts().head(RARE).index
        frames = [
            frame.assign(**{name: column.where(column.isin(frequent), "other").astype(str)})
            for frame, column in zip(frames, columns, strict=True)
        ]
    return frames


def _wording(
    before: pd.Series, after: pd.Series, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """How much each text is one of the later window, NaN for the half that was learnt from."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    texts = np.array([*before, *after], dtype=object)
    is_later = np.repeat([False, True], [len(before), len(after)])
    # the same words on both sides are no news, but would be known again
    groups = pd.factorize(texts)[0]
    drawn = np.random.default_rng(seed).random(groups.max() + 1) < 0.5
    learnt = drawn[groups]
    scores = np.full(len(texts), np.nan)
    if len(set(is_later[learnt])) == 2 and not learnt.all():
        words = TfidfVectorizer(min_df=3, max_features=5_000, sublinear_tf=True)
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=300)
        model.fit(words.fit_transform(texts[learnt]), is_later[learnt])
        scores[~learnt] = model.decision_function(words.transform(texts[~learnt]))
    return scores[~is_later], scores[is_later]
