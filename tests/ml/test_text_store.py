"""A kept text model says the same as before; one of other embeddings is refused."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from ml.text_intents import train_intents
from ml.text_minilm import DIMENSIONS, MEANING
from ml.text_sentiment import CLASSES
from ml.text_sentiment_training import train_sentiment
from ml.text_store import StoreError, load, save
from ml.text_topics import fit_topics

COUNT = 400


@pytest.fixture(scope="module")
def known() -> tuple[list[str], np.ndarray, list[str]]:
    """Texts and vectors that tell three classes apart, without the language model."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, COUNT)
    centres = rng.normal(size=(3, DIMENSIONS))
    vectors = centres[classes] + rng.normal(size=(COUNT, DIMENSIONS)) * 0.7
    for half in (slice(None, MEANING), slice(MEANING, None)):
        vectors[:, half] /= np.linalg.norm(vectors[:, half], axis=1, keepdims=True)
    words = ("awful lamp", "plain lamp", "lovely lamp")
    texts = [f"{words[i]} number {rng.integers(9)}" for i in classes]
    return texts, vectors.astype(np.float32), [CLASSES[i] for i in classes]


@pytest.mark.skipif(not find_spec("vaderSentiment"), reason="needs the extra `text`")
def test_moods_stay_the_same(
    known: tuple[list[str], np.ndarray, list[str]], tmp_path: Path
) -> None:
    texts, vectors, labels = known
    model = train_sentiment(texts, vectors, labels).model
    save(model, tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert type(again) is type(model)
    before, after = (each.probabilities(texts, vectors) for each in (model, again))
    assert np.abs(before - after).max() < 1e-5
    assert (before.argmax(axis=1) == [CLASSES.index(label) for label in labels]).mean() > 0.95
    assert dict(again.driving_words(texts[0])) == pytest.approx(dict(model.driving_words(texts[0])))


@pytest.mark.parametrize("count", [20, COUNT])
def test_intents_stay_the_same(
    known: tuple[list[str], np.ndarray, list[str]], tmp_path: Path, count: int
) -> None:
    texts, vectors, labels = known
    model = train_intents(texts[:count], vectors[:count], labels[:count])
    save(model, tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert (again.words is None) == (count < COUNT)
    assert np.array_equal(model.probabilities(texts, vectors), again.probabilities(texts, vectors))


def test_topics_stay_the_same_and_far_texts_are_in_none(
    known: tuple[list[str], np.ndarray, list[str]], tmp_path: Path
) -> None:
    texts, vectors, labels = known
    model = fit_topics(texts, vectors, counts=(2, 3, 4))
    save(model, tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert again.assign(vectors).equals(model.assign(vectors))
    assert len(model.ids) == 3
    topics = model.assign(vectors)["topic"]
    assert (
        len(
            {
                (topic, label)
                for topic, label in zip(topics, labels, strict=True)
                if topic is not None
            }
        )
        == 3
    )


def test_other_embeddings_are_refused(
    known: tuple[list[str], np.ndarray, list[str]], tmp_path: Path
) -> None:
    texts, vectors, labels = known
    save(train_intents(texts[:20], vectors[:20], labels[:20]), tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as kept:
        arrays = dict(kept)
    record = json.loads(arrays["record"].tobytes()) | {"embedding": "other"}
    arrays["record"] = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    np.savez(tmp_path / "model.npz", **arrays)
    with pytest.raises(StoreError, match=r"model\.npz was learnt on embeddings other"):
        load(tmp_path / "model.npz")
