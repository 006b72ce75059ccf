"""All that is said of a text at once, where no language model is needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.text_cleaning import clean
from ml.text_minilm import DIMENSIONS
from ml.text_reading import COLUMNS, Readers, read_texts
from ml.text_sentiment import CLASSES, LexiconJudge
from ml.text_sentiment_training import train_sentiment

pytest.importorskip("vaderSentiment", reason="needs the extra `text`")
LEXICON = Readers(LexiconJudge())


def test_the_lexicon_reads_what_needs_no_vectors() -> None:
    texts = [
        "I hate this, never buying here again!",
        "Thank you, wonderful.",
        "",
        "Das ist sehr schlecht geworden.",
    ]
    table = read_texts(texts, LEXICON, None)
    assert tuple(table) == COLUMNS
    assert table["sentiment"].tolist()[:2] == ["negative", "positive"]
    assert table["threatens_to_leave"].tolist()[:2] == [True, False]
    assert table["unread_reason"].tolist() == [None, None, "empty", "language"]
    assert table["sentiment_words"][0]["hate"] < 0
    assert table.loc[2:, "urgency"].isna().all()
    assert table["topic_id"].isna().all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=200), max_size=6))
def test_every_text_has_a_mood_or_a_reason(bodies: list[str]) -> None:
    texts = [clean(body).text for body in bodies]
    table = read_texts(texts, LEXICON, None)
    assert len(table) == len(texts)
    assert (table["sentiment"].isna() == table["unread_reason"].notna()).all()
    scores = table["sentiment_score"].dropna().astype(float)
    assert scores.between(-1, 1).all()


def test_words_that_are_named_mean_something_and_are_named_once() -> None:
    rng = np.random.default_rng(0)
    labels = [CLASSES[i] for i in rng.integers(0, 3, 300)]
    word = {"negative": "awful", "neutral": "plain", "positive": "lovely"}
    texts = [f"the lamp is {word[label]}. i have it for {rng.integers(9)} days" for label in labels]
    vectors = rng.normal(size=(300, DIMENSIONS)).astype(np.float32)
    model = train_sentiment(texts, vectors, labels).model
    named = model.driving_words("the lamp is awful. i have it for 3 days")
    assert named[0][0] == "awful"
    assert named[0][1] < 0
    said = [each for term, _ in named for each in term.split()]
    assert len(said) == len(set(said))
    assert not {"the", "is", "i", "it"} & {term for term, _ in named}
