"""The mood of texts without labels of one's own: a small linear model that comes with the code.

It reads MiniLM's tone and the lexicon, and has learnt from 15,795 sentences of film reviews and
newspaper editorials that 20 people rated each (Hutto & Gilbert 2014; MIT, copyright 2016 C.J.
Hutto). Only its weights are kept here, not the sentences. A rating below 0 counts as negative,
above 0 as positive; each sentence taught in the shares of its raters, so a probability is the share
of people who would say so. `python -m ml.text_bundled <folder>` makes it again from the ratings in
the source package of vaderSentiment 3.3.2 (additional_resources/hutto_ICWSM_2014.tar.gz, unpacked).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ml.text_embeddings import Embedder, Vectors, tone
from ml.text_lexicon import lexicon_features, strongest_opinions
from ml.text_sentiment import CLASSES, MOST_WORDS, Standard, log_softmax

Array = npt.NDArray[np.float64]
FILE = "text_bundled.npz"
SOURCES = ("movieReviewSnippets", "nytEditorialSnippets")
LEXICON_WEIGHT, C = 0.1, 0.03


@dataclass(frozen=True)
class BundledModel:
    """Linear log-odds of each class by tone and lexicon.

    Attributes
    ----------
    tone, lexicon : Standard
    coefficients : float array, shape (3, 384 + lexicon features)
    intercepts : float array, shape (3,)
    """

    tone: Standard
    lexicon: Standard
    coefficients: Array
    intercepts: Array

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Array:
        """Probabilities of `ml.text_sentiment.CLASSES`, shape (n, 3)."""
        points = _points(vectors, lexicon_features(texts), self.tone, self.lexicon)
        return np.exp(log_softmax(points @ self.coefficients.T + self.intercepts))

    def driving_words_of(
        self, texts: Sequence[str], most: int = MOST_WORDS
    ) -> list[list[tuple[str, float]]]:
        """The strongest opinion words of each text; `leave_one_out` asks the model itself."""
        return strongest_opinions(texts, most)

    def save(self, path: Path) -> None:
        """Write plain numbers."""
        np.savez_compressed(
            path,
            tone=np.stack([self.tone.mean, self.tone.spread]).astype(np.float32),
            lexicon=np.stack([self.lexicon.mean, self.lexicon.spread]).astype(np.float32),
            coefficients=self.coefficients.astype(np.float32),
            intercepts=self.intercepts.astype(np.float32),
        )

    @classmethod
    def load(cls, path: Path) -> BundledModel:
        """Read what `save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            values = {name: kept[name].astype(float) for name in kept.files}
        return cls(
            Standard(*values["tone"]), Standard(*values["lexicon"]), values["coefficients"],
            values["intercepts"],
        )  # fmt: skip


@cache
def bundled_model() -> BundledModel:
    """The model that comes with the code."""
    with as_file(files("ml").joinpath(FILE)) as path:
        return BundledModel.load(path)


def fit_bundled(texts: Sequence[str], vectors: Vectors, shares: Array) -> BundledModel:
    """Learn from the shares of people who call each text negative, neutral and positive.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean.
    vectors : float32 array, shape (n, 768)
    shares : float array, shape (n, 3)
    """
    from sklearn.linear_model import LogisticRegression

    lexicon = lexicon_features(texts)
    scales = Standard.of(tone(vectors)), Standard.of(lexicon)
    points = _points(vectors, lexicon, *scales)
    fitted = LogisticRegression(C=C, max_iter=300).fit(
        np.vstack([points] * len(CLASSES)),
        np.repeat(np.arange(len(CLASSES)), len(points)),
        sample_weight=shares.T.ravel(),
    )
    return BundledModel(*scales, fitted.coef_, fitted.intercept_)


def _points(vectors: Vectors, lexicon: Array, by_tone: Standard, by_lexicon: Standard) -> Array:
    toned = by_tone(tone(vectors))
    return np.hstack([toned / np.sqrt(toned.shape[1]), by_lexicon(lexicon) * LEXICON_WEIGHT])


def read_ratings(folder: Path) -> tuple[list[str], Array]:
    """Clean sentences of `SOURCES` and the shares of their raters by class."""
    from ml.text_cleaning import clean

    texts, shares = [], []
    for name in SOURCES:
        given = {}
        for line in (folder / f"{name}_anonDataRatings.txt").read_text().splitlines():
            number, *_, ratings = line.split("\t")
            given[number] = np.sign(ast.literal_eval(ratings))
        source = (folder / f"{name}_GroundTruth.txt").read_text("utf-8", "replace")
        for line in source.splitlines():
            number, _, text = line.split("\t", 2)
            texts.append(clean(text).text)
            shares.append([(given[number] == sign).mean() for sign in (-1, 0, 1)])
    return texts, np.array(shares)


def main(folder: Path, models: Path) -> None:
    """Make the bundled model again."""
    texts, shares = read_ratings(folder)
    vectors = Embedder(models, threads=2).embed(texts)
    fit_bundled(texts, vectors, shares).save(Path(__file__).with_name(FILE))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".shoal/models"))
