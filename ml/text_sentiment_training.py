"""Learning the mood of texts from labels, and judging what was learnt on later texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text_embeddings import Vectors, meaning, tone
from ml.text_lexicon import lexicon_features
from ml.text_sentiment import (
    CLASSES,
    Judge,
    KernelView,
    SentimentModel,
    Standard,
    WordView,
    kernel,
    log_softmax,
    word_matrix,
)
from ml.text_words import WordFeatures

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
WORD_C, KERNEL_C, GAMMA, LANDMARKS = 2.0, 6.0, 0.7, 2_000
"""Chosen on the last fifth of the training part of the airline tweets."""
LEAST_LABELS = 30
"""Fewest labels of each class for a model of the user's own."""
JUDGED_SHARE = 0.2


@dataclass(frozen=True)
class Trained:
    """A model with what it was worth on later texts.

    Attributes
    ----------
    model : SentimentModel
        Learnt from all labels.
    figures : DataFrame
        ``model`` (``trained`` or a rival), ``accuracy``, ``macro_f1``, ``log_loss``, ``ece``.
    """

    model: SentimentModel
    figures: pd.DataFrame

    @property
    def is_better(self) -> bool:
        """Whether it has a higher macro F1 than every rival on the later texts."""
        by_model = self.figures.set_index("model")["macro_f1"]
        return bool((by_model["trained"] > by_model.drop("trained")).all())


def labels_of_ratings(ratings: pd.Series, scale: tuple[float, float] = (1.0, 5.0)) -> pd.Series:
    """Classes of stars: the lowest two fifths of the scale, its middle, its highest two."""
    low, high = scale
    share = (ratings.astype(float) - low) / (high - low)
    named = np.select([share < 0.375, share > 0.625], [CLASSES[0], CLASSES[2]], CLASSES[1])
    return pd.Series(named, index=ratings.index).where(ratings.notna())


def train_sentiment(
    texts: Sequence[str],
    vectors: Vectors,
    labels: Sequence[str],
    *,
    weights: Sequence[float] | Array | None = None,
    rivals: dict[str, Judge] | None = None,
    seed: int = 0,
) -> Trained:
    """Learn from labelled texts in the order in which they were written.

    The newest fifth judges a model of the older ones beside its rivals. The model handed back has
    learnt from all; its temperature is that of a model of the older texts on the newest.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean, the oldest first.
    vectors : float32 array, shape (n, 768)
    labels : sequence of str
        Of `CLASSES`.
    weights : sequence of float, optional
        How sure each label is.
    rivals : dict of str to Judge, optional
        What it has to beat.
    seed : int

    Returns
    -------
    Trained

    Raises
    ------
    ValueError
        A label is none of `CLASSES`, or a class has too few.
    """
    label = as_numbers(labels)
    weight = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=float)
    cut = int(len(label) * (1 - JUDGED_SHARE))
    earlier = _calibrated(texts[:cut], vectors[:cut], label[:cut], weight[:cut], seed)
    later = list(texts[cut:])
    figures = [
        figures_of(name, judge.probabilities(later, vectors[cut:]), label[cut:])
        for name, judge in {"trained": earlier, **(rivals or {})}.items()
    ]
    return Trained(_calibrated(texts, vectors, label, weight, seed), pd.DataFrame(figures))


def _calibrated(
    texts: Sequence[str], vectors: Vectors, label: IntArray, weight: Array, seed: int
) -> SentimentModel:
    """A model of all texts, with the temperature of one of the older texts on the newest."""
    cut = int(len(label) * (1 - JUDGED_SHARE))
    older = fit_sentiment(texts[:cut], vectors[:cut], label[:cut], weight[:cut], seed=seed)
    temperature = best_temperature(older.raw(texts[cut:], vectors[cut:]), label[cut:])
    return replace(fit_sentiment(texts, vectors, label, weight, seed=seed), temperature=temperature)


def fit_sentiment(
    texts: Sequence[str],
    vectors: Vectors,
    label: IntArray,
    weight: Array,
    *,
    seed: int = 0,
) -> SentimentModel:
    """Fit both views; the temperature stays 1."""
    lexicon = lexicon_features(texts)
    scales = (Standard.of(tone(vectors)), Standard.of(meaning(vectors)), Standard.of(lexicon))
    features = WordFeatures.fit(texts)
    matrix = word_matrix(features, scales[2], texts, lexicon)
    words = WordView(features, scales[2], *_logistic(matrix, label, weight, WORD_C))
    points = KernelView.points(vectors, lexicon, scales)
    return SentimentModel(words, _fit_kernel(points, scales, label, weight, seed))


def _fit_kernel(
    points: Array, scales: tuple[Standard, Standard, Standard], label: IntArray, weight: Array,
    seed: int,
) -> KernelView:  # fmt: skip
    """Nyström approximation (Williams & Seeger 2001) of a kernel logistic regression."""
    drawn = np.random.default_rng(seed).permutation(len(points))[:LANDMARKS]
    landmarks = points[np.sort(drawn)].astype(np.float32).astype(float)
    values, axes = np.linalg.eigh(kernel(landmarks, landmarks, GAMMA))
    kept = values > 1e-8 * values.max()
    root = axes[:, kept] / np.sqrt(values[kept])
    coefficients, intercepts = _logistic(
        kernel(points, landmarks, GAMMA) @ root, label, weight, KERNEL_C
    )
    return KernelView(*scales, landmarks, root @ coefficients.T, intercepts, GAMMA)


def _logistic(matrix: Any, label: IntArray, weight: Array, c: float) -> tuple[Array, Array]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=c, max_iter=200).fit(matrix, label, sample_weight=weight)
    if len(fitted.classes_) < len(CLASSES):
        raise ValueError("every class of sentiment has to have labels")
    return fitted.coef_, fitted.intercept_


def best_temperature(raw: Array, label: IntArray) -> float:
    """The temperature with the least log loss (Guo et al. 2017), 0.2 to 5."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        found = log_softmax(raw / np.exp(log_temperature))
        return -float(found[np.arange(len(label)), label].mean())

    return float(np.exp(minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded").x))


def figures_of(name: str, probabilities: Array, label: IntArray) -> dict[str, str | float]:
    """Accuracy, macro F1, log loss and expected calibration error of the class told (10 bins)."""
    from sklearn.metrics import f1_score

    told = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    right = told == label
    bins = np.minimum((sure * 10).astype(int), 9)
    gaps = [
        (bins == i).mean() * abs(right[bins == i].mean() - sure[bins == i].mean())
        for i in np.unique(bins)
    ]
    at = np.clip(probabilities[np.arange(len(label)), label], 1e-12, 1)
    return {
        "model": name,
        "accuracy": float(right.mean()),
        "macro_f1": float(f1_score(label, told, average="macro")),
        "log_loss": -float(np.log(at).mean()),
        "ece": float(sum(gaps)),
    }


def as_numbers(labels: Sequence[str]) -> IntArray:
    """Positions in `CLASSES`.

    Raises
    ------
    ValueError
        A label is none of them, or a class has too few.
    """
    places = {name: i for i, name in enumerate(CLASSES)}
    strange = sorted({str(label) for label in labels if label not in places})
    if strange:
        raise ValueError(
            f"no sentiment: {', '.join(strange)}; the classes are {', '.join(CLASSES)}"
        )
    found = np.array([places[label] for label in labels], dtype=np.int64)
    counts = np.bincount(found, minlength=len(CLASSES))
    if counts.min() < LEAST_LABELS:
        few = ", ".join(f"{name}: {count}" for name, count in zip(CLASSES, counts, strict=True))
        raise ValueError(f"at least {LEAST_LABELS} labels of each class are needed ({few})")
    return found
