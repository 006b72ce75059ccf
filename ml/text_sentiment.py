"""Mood of texts: negative, neutral or positive, a score from -1 to 1, and what made it so.

A model blends two views of a text by the mean of their log-probabilities: a logistic regression
on words, pieces of words and the lexicon, and one on a kernel (Nyström) of the embedding, which
knows synonyms. A temperature makes its confidence what comes true. `ml.text_bundled` has a model
that comes with the code; `ml.text_sentiment_training` learns one from labels of the user's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text_embeddings import Embedder, Vectors, meaning, tone
from ml.text_lexicon import lexicon_features, strongest_opinions, vader
from ml.text_words import WordFeatures

Array = npt.NDArray[np.float64]
CLASSES = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
LEXICON_WEIGHT, KERNEL_LEXICON, KERNEL_MEANING = 0.3, 0.1, 0.7
SPEAKS = frozenset({"en", "und"})
"""Languages that are judged: the lexicon, MiniLM and the bundled model are English."""
MOST_WORDS = 5
"""Words of a text that are named for its mood."""
_FUNCTION_WORDS = """
    a about am an and any are as at be been but by do for from had has have he her here him his i
    i'm i've if in is it it's its me my of on or our she so that the their them then there these
    they this those to us was we were what when where which who will with you your"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that are named for no mood by themselves, whatever a model has made of them."""
VADER_NEUTRAL = 0.05
"""Within this of 0 the lexicon's score counts as neutral (Hutto & Gilbert 2014)."""


class Judge(Protocol):
    """What gives each text three probabilities."""

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Probabilities of `CLASSES`, shape (n, 3)."""

    def driving_words_of(
        self, texts: Sequence[str], most: int = MOST_WORDS
    ) -> list[list[tuple[str, float]]]:
        """What drove it in each text, the strongest first; above 0 towards positive."""


@dataclass(frozen=True)
class Standard:
    """Mean and spread of columns, to bring them to one scale."""

    mean: Array
    spread: Array

    @classmethod
    def of(cls, values: npt.NDArray[np.floating]) -> Standard:
        exact = np.asarray(values, dtype=float)
        return cls(exact.mean(axis=0), exact.std(axis=0) + 1e-3)

    def __call__(self, values: npt.NDArray[np.floating]) -> Array:
        return (np.asarray(values, dtype=float) - self.mean) / self.spread


@dataclass(frozen=True)
class WordView:
    """Log-odds by words and lexicon.

    Attributes
    ----------
    features : WordFeatures
    lexicon : Standard
    coefficients : float array, shape (3, terms + lexicon features)
    intercepts : float array, shape (3,)
    """

    features: WordFeatures
    lexicon: Standard
    coefficients: Array
    intercepts: Array

    def matrix(self, texts: Sequence[str], lexicon: Array) -> Any:
        """Sparse features of texts, shape (n, terms + lexicon features)."""
        return word_matrix(self.features, self.lexicon, texts, lexicon)

    def raw(self, texts: Sequence[str], lexicon: Array) -> Array:
        """Log-odds of each class, shape (n, 3)."""
        raw: Array = self.matrix(texts, lexicon) @ self.coefficients.T + self.intercepts
        return raw


def word_matrix(
    features: WordFeatures, scale: Standard, texts: Sequence[str], lexicon: Array
) -> Any:
    """Sparse words and pieces of words of texts, then their lexicon features on one scale."""
    from scipy import sparse

    dense = sparse.csr_matrix(scale(lexicon) * LEXICON_WEIGHT)
    return sparse.hstack([features.transform(texts), dense]).tocsr()


@dataclass(frozen=True)
class KernelView:
    """Log-odds by likeness to known texts: sum of Gaussian kernels around landmarks.

    Attributes
    ----------
    tone, meaning, lexicon : Standard
    landmarks : float array, shape (k, d)
    weights : float array, shape (k, 3)
    intercepts : float array, shape (3,)
    gamma : float
    """

    tone: Standard
    meaning: Standard
    lexicon: Standard
    landmarks: Array
    weights: Array
    intercepts: Array
    gamma: float

    @staticmethod
    def points(
        vectors: Vectors, lexicon: Array, scales: tuple[Standard, Standard, Standard]
    ) -> Array:
        """Texts as points whose distance the kernel reads, shape (n, d)."""
        by_tone, by_meaning, by_lexicon = scales
        width = np.sqrt(meaning(vectors).shape[1])
        return np.hstack(
            [
                by_tone(tone(vectors)) / width,
                by_meaning(meaning(vectors)) * (KERNEL_MEANING / width),
                by_lexicon(lexicon) * KERNEL_LEXICON,
            ]
        )

    def raw(self, vectors: Vectors, lexicon: Array) -> Array:
        """Log-odds of each class, shape (n, 3)."""
        points = self.points(vectors, lexicon, (self.tone, self.meaning, self.lexicon))
        found = np.empty((len(points), len(CLASSES)))
        for first in range(0, len(points), 4_096):
            part = points[first : first + 4_096]
            found[first : first + 4_096] = kernel(part, self.landmarks, self.gamma) @ self.weights
        return found + self.intercepts


@dataclass(frozen=True)
class SentimentModel:
    """A model learnt from labels; see the module."""

    words: WordView
    kernel: KernelView
    temperature: float = 1.0

    def raw(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Blended log-probabilities before the temperature, shape (n, 3)."""
        lexicon = lexicon_features(texts)
        by_words = log_softmax(self.words.raw(texts, lexicon))
        return 0.5 * (by_words + log_softmax(self.kernel.raw(vectors, lexicon)))

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Probabilities of `CLASSES`, shape (n, 3)."""
        return np.exp(log_softmax(self.raw(texts, vectors) / self.temperature))

    def driving_words(self, text: str, most: int = MOST_WORDS) -> list[tuple[str, float]]:
        """Words with the largest say in the word view of one text; see `driving_words_of`."""
        return self.driving_words_of([text], most)[0]

    def driving_words_of(
        self, texts: Sequence[str], most: int = MOST_WORDS
    ) -> list[list[tuple[str, float]]]:
        """Words with the largest say in the word view: log-odds of positive against negative.

        Exact for that half of the model; `leave_one_out` asks the whole of it.
        """
        matrix = self.words.matrix(texts, lexicon_features(texts))
        whole, terms = self.words.features.whole_words, self.words.features.terms
        lean = self.words.coefficients[POSITIVE] - self.words.coefficients[NEGATIVE]
        found = []
        for first, last in itertools.pairwise(matrix.indptr):
            said = [
                (terms[column], float(value * lean[column]))
                for column, value in zip(
                    matrix.indices[first:last], matrix.data[first:last], strict=True
                )
                if column < whole
            ]
            found.append(_telling(said, most))
        return found


def _telling(said: Sequence[tuple[str, float]], most: int) -> list[tuple[str, float]]:
    """The strongest terms that mean something by themselves, no word in two of them."""
    chosen: list[tuple[str, float]] = []
    used: set[str] = set()
    for term, effect in sorted(said, key=lambda pair: (-abs(pair[1]), len(pair[0]))):
        words = set(term.removeprefix("not_").replace(" not_", " ").split())
        if used & words or not words - FUNCTION_WORDS or not any(map(str.isalpha, words)):
            continue
        if all(word[0].isalpha() for word in words):
            chosen.append((term, effect))
            used |= words
        if len(chosen) == most:
            break
    return chosen


class LexiconJudge:
    """The fallback and baseline: VADER's score, cut at its published thresholds."""

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Shares of the distance to the thresholds; they rank, they are not calibrated."""
        scores = vader(texts)
        raw = np.stack([-scores, VADER_NEUTRAL - np.abs(scores), scores], axis=1)
        return np.exp(log_softmax(4 * raw))

    def driving_words_of(
        self, texts: Sequence[str], most: int = MOST_WORDS
    ) -> list[list[tuple[str, float]]]:
        """The strongest words of the lexicon in each text."""
        return strongest_opinions(texts, most)


def judge_texts(
    judge: Judge, texts: Sequence[str], vectors: Vectors, languages: Sequence[str] | None = None
) -> pd.DataFrame:
    """Judge clean texts.

    Parameters
    ----------
    judge : Judge
    texts : sequence of str, n texts
    vectors : float32 array, shape (n, 768)
    languages : sequence of str, optional
        As detected; a text in a language that the models do not speak is not judged.

    Returns
    -------
    moods : DataFrame, n rows
        ``sentiment``, ``score`` (-1 to 1: probability of positive less that of negative),
        ``confidence`` (probability of the class told) and the three probabilities; null where
        the text is in another language or empty.
    """
    found = judge.probabilities(texts, vectors) if len(texts) else np.empty((0, len(CLASSES)))
    best = found.argmax(axis=1)
    spoken = np.array([bool(text.strip()) for text in texts], dtype=bool)
    if languages is not None:
        spoken &= np.array([language in SPEAKS for language in languages], dtype=bool)
    table = pd.DataFrame(
        {
            "sentiment": np.array(CLASSES, dtype=object)[best],
            "score": found[:, POSITIVE] - found[:, NEGATIVE],
            "confidence": found.max(axis=1) if len(found) else np.empty(0),
            **{name: found[:, i] for i, name in enumerate(CLASSES)},
        }
    )
    table.loc[~spoken, :] = None
    return table


def leave_one_out(judge: Judge, embedder: Embedder, text: str, most: int = 40) -> pd.DataFrame:
    """What each word of a short text does to its score: the score less that without the word.

    Parameters
    ----------
    judge : Judge
    embedder : Embedder
    text : str
    most : int
        Words that are tried, the first ones.

    Returns
    -------
    words : DataFrame
        ``word``, ``effect``; in the order of the text.
    """
    words = text.split()[:most]
    rest = text.split()[most:]
    variants = [text, *(" ".join(words[:i] + words[i + 1 :] + rest) for i in range(len(words)))]
    found = judge.probabilities(variants, embedder.embed(variants))
    scores = found[:, POSITIVE] - found[:, NEGATIVE]
    return pd.DataFrame({"word": words, "effect": scores[0] - scores[1:]})


def kernel(points: Array, landmarks: Array, gamma: float) -> Array:
    """Gaussian kernel of each point and landmark, shape (n, k)."""
    squares = (points**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1)
    apart = np.maximum(squares - 2 * points @ landmarks.T, 0.0)
    close: Array = np.exp(-gamma * apart)
    return close


def log_softmax(raw: Array) -> Array:
    """Log-probabilities of log-odds, row by row."""
    shifted = raw - raw.max(axis=1, keepdims=True)
    found: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found
