"""Words and pieces of words as features: TF-IDF of what is said, with negation marked.

``not good`` counts as ``not not_good``: what follows a negation up to the next punctuation mark,
at most three words, is another word. Pieces of 2 to 5 letters see through spelling. The
vocabulary is plain text and numbers, so nothing has to be unpickled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.text_lexicon import NEGATIONS

Array = npt.NDArray[np.float64]
_TOKEN = re.compile(
    r"\[[a-z]+\]|[^\W_]+(?:['’][^\W_]+)*|[@#]\w+|[:;=8][-o^']?[()\[\]dp/\\|]+|[^\w\s]"
)
_STOP = re.compile(r"[.,!?;:]")
_REACH = 3
LONGEST = 4_000
"""Characters that are read; of a longer text the first three quarters and the last."""
_BLOCKS = (("word", (1, 2), 2, 30_000), ("char_wb", (2, 5), 3, 40_000))


def tokens(text: str) -> list[str]:
    """Words, emoticons, marks and masks of a clean text in lower case, negated ones marked."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST * 3 // 4]} {text[-LONGEST // 4 :]}"
    found, reach = [], 0
    for token in _TOKEN.findall(text.lower().replace("’", "'")):
        if token in NEGATIONS:
            reach = _REACH
            found.append(token)
            continue
        if _STOP.match(token):
            reach = 0
        if token[0] == "@" and len(token) > 1:
            token = "[handle]"
        found.append(f"not_{token}" if reach and token[0].isalpha() else token)
        reach = max(reach - 1, 0)
    return found


@dataclass(frozen=True)
class Block:
    """One kind of pieces: its n-grams in order with their inverse document frequencies."""

    analyzer: str
    ngrams: tuple[int, int]
    terms: tuple[str, ...]
    idf: Array

    def vectorizer(self) -> Any:
        """A fitted scikit-learn vectoriser."""
        made = _vectorizer(self.analyzer, self.ngrams, 1, None, list(self.terms))
        made.idf_ = self.idf
        return made


class WordFeatures:
    """Sparse features of texts by words and pieces of words.

    Parameters
    ----------
    blocks : sequence of Block
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self._vectorizers = [block.vectorizer() for block in self.blocks]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> WordFeatures:
        """Learn the vocabulary of some texts: what two of them share."""
        joined = [" ".join(tokens(text)) for text in texts]
        blocks = []
        for analyzer, ngrams, least, most in _BLOCKS:
            least = min(least, max(len(texts) // 20, 1))
            made = _vectorizer(analyzer, ngrams, least, most, None)
            try:
                made.fit(joined)
            except ValueError:
                continue
            blocks.append(
                Block(analyzer, ngrams, tuple(made.get_feature_names_out()), made.idf_.copy())
            )
        return cls(blocks)

    @property
    def terms(self) -> list[str]:
        """Every feature, in the order of the columns."""
        return [term for block in self.blocks for term in block.terms]

    @property
    def whole_words(self) -> int:
        """Number of leading columns that are words rather than pieces."""
        return sum(len(block.terms) for block in self.blocks if block.analyzer == "word")

    def transform(self, texts: Sequence[str]) -> Any:
        """Sparse matrix of shape (n, number of terms)."""
        from scipy import sparse

        joined = [" ".join(tokens(text)) for text in texts]
        if not self.blocks:
            return sparse.csr_matrix((len(joined), 0))
        return sparse.hstack([made.transform(joined) for made in self._vectorizers]).tocsr()


def _vectorizer(
    analyzer: str,
    ngrams: tuple[int, int],
    least: int,
    most: int | None,
    vocabulary: list[str] | None,
) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    words = {"token_pattern": r"\S+"} if analyzer == "word" else {}
    return TfidfVectorizer(
        analyzer=analyzer, ngram_range=ngrams, min_df=least, max_features=most,
        vocabulary=vocabulary, sublinear_tf=True, lowercase=False, **words,
    )  # fmt: skip
