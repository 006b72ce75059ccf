"""What a text asks for, learnt from few examples of each intent.

A logistic regression on MiniLM's sentence vectors; from `WORDS_FROM` examples of each intent on
also on words, which tell near intents apart once there are enough of them. Whatever is unlike every
example has a low confidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text_embeddings import Vectors, meaning
from ml.text_sentiment import log_softmax
from ml.text_words import WordFeatures

Array = npt.NDArray[np.float64]
FEW_C, MANY_C, WORD_WEIGHT = 30.0, 30.0, 0.5
WORDS_FROM = 30
"""Examples of each intent, on average, from which on words help."""


@dataclass(frozen=True)
class IntentModel:
    """Linear log-odds of each intent.

    Attributes
    ----------
    intents : tuple of str
    coefficients : float array, shape (k, 384 + words)
    intercepts : float array, shape (k,)
    words : WordFeatures or None
    """

    intents: tuple[str, ...]
    coefficients: Array
    intercepts: Array
    words: WordFeatures | None = None

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Probability of each intent, shape (n, k)."""
        raw: Array = _matrix(texts, vectors, self.words) @ self.coefficients.T + self.intercepts
        return np.exp(log_softmax(raw))

    def predict(self, texts: Sequence[str], vectors: Vectors) -> pd.DataFrame:
        """``intent`` and ``confidence`` of each text."""
        found = self.probabilities(texts, vectors)
        best = found.argmax(axis=1)
        return pd.DataFrame(
            {
                "intent": np.array(self.intents, dtype=object)[best],
                "confidence": found[np.arange(len(found)), best],
            }
        )


def train_intents(texts: Sequence[str], vectors: Vectors, intents: Sequence[str]) -> IntentModel:
    """Learn intents from labelled examples.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean.
    vectors : float32 array, shape (n, 768)
    intents : sequence of str

    Returns
    -------
    IntentModel

    Raises
    ------
    ValueError
        There is one intent only.
    """
    from sklearn.linear_model import LogisticRegression

    counts = Counter(intents)
    if len(counts) < 2:
        raise ValueError("intents are told apart: examples of two or more are needed")
    has_words = len(texts) >= WORDS_FROM * len(counts)
    words = WordFeatures.fit(texts) if has_words else None
    model: Any = LogisticRegression(C=MANY_C if has_words else FEW_C, max_iter=300)
    model.fit(_matrix(texts, vectors, words), list(intents))
    coefficients, intercepts = model.coef_, model.intercept_
    if len(counts) == 2:
        coefficients = np.vstack([-coefficients, coefficients]) / 2
        intercepts = np.r_[-intercepts, intercepts] / 2
    return IntentModel(tuple(map(str, model.classes_)), coefficients, intercepts, words)


def _matrix(texts: Sequence[str], vectors: Vectors, words: WordFeatures | None) -> Any:
    from scipy import sparse

    about = meaning(vectors).astype(float)
    if words is None:
        return about
    return sparse.hstack([sparse.csr_matrix(about), words.transform(texts) * WORD_WEIGHT]).tocsr()
