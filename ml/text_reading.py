"""Everything that is said of a text at once: language, mood, aspects, intent, urgency, topics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.text_cleaning import Kind, kind_of
from ml.text_embeddings import Embeds, Vectors
from ml.text_intents import IntentModel
from ml.text_language import UNDETERMINED, detect_languages
from ml.text_minilm import DIMENSIONS
from ml.text_sentiment import Judge, judge_texts
from ml.text_taxonomy import LIKE, Taxonomy, aspect_moods
from ml.text_topics import NONE, Topics
from ml.text_urgency import priorities

IntArray = npt.NDArray[np.int64]
COLUMNS = (
    "language", "sentiment", "sentiment_score", "sentiment_confidence", "sentiment_words",
    "aspects", "intent", "intent_confidence", "urgency", "threatens_to_leave", "topic_id",
    "topic_name", "taxonomy", "unread_reason",
)  # fmt: skip
EMPTY, LANGUAGE = "empty", "language"
SURE = 2.0
"""An intent is told from so many times the probability on that it would have by chance."""


@dataclass(frozen=True)
class Readers:
    """The models that read texts; without embeddings only the judge, which then is the lexicon.

    Attributes
    ----------
    judge : Judge
    intents : IntentModel, optional
    aspects : Taxonomy, optional
    taxonomy : Taxonomy, optional
        The deployment's own.
    topics : Topics, optional
    """

    judge: Judge
    intents: IntentModel | None = None
    aspects: Taxonomy | None = None
    taxonomy: Taxonomy | None = None
    topics: Topics | None = None


def read_texts(texts: Sequence[str], readers: Readers, embedder: Embeds | None) -> pd.DataFrame:
    """Read clean and masked texts.

    Parameters
    ----------
    texts : sequence of str, n texts
    readers : Readers
    embedder : Embeds or None
        None where nothing can be embedded; what needs vectors is null then.

    Returns
    -------
    DataFrame, n rows
        `COLUMNS`. ``unread_reason`` says why there is no mood: the text is empty, or in a language
        that the models do not speak; without mood there is neither intent nor urgency. An
        intent that is hardly likelier than by chance is not told.
    """
    vectors: Vectors = (
        np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if embedder is None
        else embedder.embed(texts)
    )
    languages = _languages(texts)
    moods = judge_texts(readers.judge, texts, vectors, languages)
    table = _Columns(len(texts))
    table.put(range(len(texts)), language=languages)
    judged = np.flatnonzero(moods["sentiment"].notna())
    table.put(
        judged,
        sentiment=moods["sentiment"].iloc[judged],
        sentiment_score=moods["score"].iloc[judged],
        sentiment_confidence=moods["confidence"].iloc[judged],
    )
    unread = sorted(set(range(len(texts))) - set(judged.tolist()))
    table.put(unread, unread_reason=[LANGUAGE if texts[row].strip() else EMPTY for row in unread])
    if len(judged):
        said = [texts[int(row)] for row in judged]
        _describe(table, judged, said, vectors[judged], readers, embedder)
    return pd.DataFrame(table.values)


class _Columns:
    """Columns of plain values, filled in row by row; null where nothing was put."""

    def __init__(self, rows: int) -> None:
        self.values: dict[str, list[Any]] = {name: [None] * rows for name in COLUMNS}

    def put(self, rows: Iterable[int], **columns: Iterable[Any]) -> None:
        rows = list(rows)
        for name, values in columns.items():
            for row, value in zip(rows, values, strict=True):
                self.values[name][row] = value


def _describe(
    table: _Columns, rows: IntArray, texts: Sequence[str], vectors: Vectors, readers: Readers,
    embedder: Embeds | None,
) -> None:  # fmt: skip
    """Fill in what is said of the texts that were judged."""
    table.put(rows, sentiment_words=map(dict, readers.judge.driving_words_of(texts)))
    intents = [""] * len(texts)
    in_words = np.array([kind_of(text) is Kind.TEXT for text in texts])
    if readers.intents is not None:
        found = readers.intents.predict(texts, vectors)
        sure = in_words & (found["confidence"] >= SURE / len(readers.intents.intents)).to_numpy()
        intents = found["intent"].where(sure, "").tolist()
        table.put(
            rows[sure],
            intent=found["intent"][sure],
            intent_confidence=found["confidence"][sure],
        )
    scores = [table.values["sentiment_score"][row] for row in rows]
    urgency = priorities(texts, intents, scores)
    table.put(rows, urgency=urgency["priority"], threatens_to_leave=urgency["is_leaving"])
    if readers.topics is not None:
        topics = readers.topics.assign(vectors)
        inside = in_words & (topics["topic_id"] != NONE).to_numpy()
        table.put(
            rows[inside],
            topic_id=topics["topic_id"][inside].astype(int),
            topic_name=topics["topic"][inside],
        )
    if readers.taxonomy is not None:
        table.put(rows, taxonomy=_names(readers.taxonomy, vectors))
    if readers.aspects is not None and embedder is not None:
        moods: list[dict[str, float]] = [{} for _ in texts]
        found = aspect_moods(texts, readers.aspects, readers.judge, embedder)
        for row, aspect, score in zip(found["row"], found["aspect"], found["score"], strict=True):
            moods[row][str(aspect)] = float(score)
        table.put(rows, aspects=moods)


def _names(taxonomy: Taxonomy, vectors: Vectors) -> list[list[str]]:
    """Names that each text is about, the likest first."""
    likeness = taxonomy.likeness(vectors).to_numpy()
    order = np.argsort(-likeness, axis=1, kind="stable")
    return [
        [taxonomy.names[i] for i in places if row[i] >= LIKE]
        for row, places in zip(likeness, order, strict=True)
    ]


def _languages(texts: Sequence[str]) -> list[str]:
    if find_spec("py3langid") is None:
        return [UNDETERMINED] * len(texts)
    return detect_languages(texts)
