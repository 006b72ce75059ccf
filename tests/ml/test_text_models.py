"""Embeddings, mood, intents and topics from the installed model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ml.text_bundled import bundled_model
from ml.text_cleaning import content_hash
from ml.text_embeddings import Embedder, meaning
from ml.text_intents import train_intents
from ml.text_minilm import (
    MODEL,
    ModelError,
    int8_model,
    is_installed,
    model_folder,
    verify_weights,
)
from ml.text_sentiment import CLASSES, LexiconJudge, judge_texts, leave_one_out
from ml.text_sentiment_training import labels_of_ratings, train_sentiment
from ml.text_taxonomy import Taxonomy, aspect_moods, aspect_phrases
from ml.text_topics import NONE, fit_topics

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="needs the extra `text`"),
]
GOOD = [
    "I love this lamp, it is wonderful!",
    "Great service, fast and friendly.",
    "Works perfectly 😍",
]
BAD = ["The lamp broke after a day, terrible.", "Worst support ever, nobody answers.", "😡 awful"]
NEGATED = [("This is good.", "This is not good."), ("I am happy.", "I was never happy with it.")]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    int8_model(folder)
    return folder


@pytest.fixture(scope="module")
def embedder(models: Path) -> Embedder:
    return Embedder(models)


def scores(embedder: Embedder, texts: list[str]) -> np.ndarray:
    return judge_texts(bundled_model(), texts, embedder.embed(texts))["score"].to_numpy(dtype=float)


def test_the_weights_are_the_known_ones() -> None:
    assert verify_weights(model_folder()).name == "model.safetensors"


def test_other_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ModelError, match="SHA-256"):
        int8_model(tmp_path / "made", weights=tmp_path)
    assert not (tmp_path / "made").exists()


def test_a_changed_copy_is_refused(models: Path, tmp_path: Path) -> None:
    for suffix in ("onnx", "sha256"):
        (tmp_path / f"{MODEL}.{suffix}").write_bytes((models / f"{MODEL}.{suffix}").read_bytes())
    with (tmp_path / f"{MODEL}.onnx").open("ab") as file:
        file.write(b"!")
    with pytest.raises(ModelError, match="changed"):
        Embedder(tmp_path)


def test_like_texts_lie_near_and_do_not_depend_on_their_company(embedder: Embedder) -> None:
    texts = ["where is my parcel", "my package has not arrived", "the soup is too salty"]
    found = meaning(embedder.embed(texts))
    assert found[0] @ found[1] > 0.4
    assert abs(found[0] @ found[2]) < 0.2
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    alone = np.vstack([meaning(embedder.embed([text])) for text in texts])
    assert (alone * found).sum(axis=1).min() > 0.98


def test_a_text_is_embedded_once(embedder: Embedder) -> None:
    first = embedder.embed_new(["late parcel", "late parcel", ""], {})
    assert list(first) == [content_hash("late parcel")]
    assert embedder.embed_new(["late parcel"], first) == {}


def test_long_texts_are_read_at_both_ends(embedder: Embedder) -> None:
    middle = "the soup is too salty. " * 2_000
    plain, ended, nothing = embedder.embed([middle, middle + "My parcel never arrived. " * 60, ""])
    assert meaning(embedder.embed([middle[:5_000]]))[0] @ plain[:384] > 0.95
    assert ended[:384] @ plain[:384] < 0.999
    assert not nothing.any()


def test_moods_and_their_opposites(embedder: Embedder) -> None:
    assert scores(embedder, GOOD).min() > 0.2 > -0.2 > scores(embedder, BAD).max()
    for plain, negated in NEGATED:
        good, bad = scores(embedder, [plain, negated])
        assert good > bad


def test_probabilities_add_up_and_other_languages_are_not_judged(embedder: Embedder) -> None:
    texts = [*GOOD, "Das Paket kam zu spät.", ""]
    languages = ["en", "en", "und", "de", "und"]
    table = judge_texts(bundled_model(), texts, embedder.embed(texts), languages)
    assert table["sentiment"].isna().tolist() == [False] * 3 + [True] * 2
    assert np.allclose(table.loc[:2, list(CLASSES)].astype(float).sum(axis=1), 1)


def test_leaving_out_the_word_that_matters_changes_the_score_most(embedder: Embedder) -> None:
    found = leave_one_out(bundled_model(), embedder, "the lamp is terrible today")
    assert found.loc[found["effect"].idxmin(), "word"] == "terrible"


def shop_talk(seed: int, count: int) -> tuple[list[str], list[str]]:
    """Texts whose label is in invented words that no lexicon knows."""
    rng = np.random.default_rng(seed)
    code = {"negative": "zorgled", "neutral": "midded", "positive": "blixed"}
    labels = [CLASSES[i] for i in rng.integers(0, 3, count)]
    things = ("lamp", "chair", "parcel", "jacket", "shop")
    return [
        f"my {rng.choice(things)} {code[label]} number {i}" for i, label in enumerate(labels)
    ], labels


def test_labels_of_ones_own_beat_what_came_with_the_code(embedder: Embedder) -> None:
    texts, labels = shop_talk(0, 300)
    trained = train_sentiment(
        texts, embedder.embed(texts), labels,
        rivals={"bundled": bundled_model(), "lexicon": LexiconJudge()},
    )  # fmt: skip
    assert trained.is_better
    by_model = trained.figures.set_index("model")
    assert by_model.loc["trained", "accuracy"] > 0.9
    words = dict(trained.model.driving_words("my lamp zorgled number 3"))
    assert min(words, key=words.__getitem__).endswith("zorgled")


def test_too_few_labels_are_refused(embedder: Embedder) -> None:
    texts, labels = shop_talk(0, 60)
    with pytest.raises(ValueError, match="at least"):
        train_sentiment(texts, embedder.embed(texts), labels)
    with pytest.raises(ValueError, match="no sentiment: angry"):
        train_sentiment(texts, embedder.embed(texts), ["angry"] * 60)


def test_stars_become_labels() -> None:
    import pandas as pd

    named = labels_of_ratings(pd.Series([1, 2, 3, 4, 5, None]))
    assert named.tolist()[:5] == ["negative", "negative", "neutral", "positive", "positive"]
    assert named.isna().tolist()[5]


def test_intents_from_few_examples(embedder: Embedder) -> None:
    import yaml

    from ml import text_urgency

    source = Path(text_urgency.__file__).with_name("text_ticket_examples.yml").read_text()
    examples = [(text, name) for name, texts in yaml.safe_load(source).items() for text in texts]
    texts, intents = [text for text, _ in examples], [name for _, name in examples]
    model = train_intents(texts, embedder.embed(texts), intents)
    asked = {
        "Please cancel the order from yesterday.": "cancellation",
        "I expect to be paid back for the returned shoes.": "refund",
        "Do you deliver to Austria?": "question",
        "Wonderful shop, thank you so much!": "praise",
        "The chair arrived damaged and your staff was unfriendly.": "complaint",
    }
    found = model.predict(list(asked), embedder.embed(list(asked)))
    assert found["intent"].tolist() == list(asked.values())
    assert found["confidence"].between(0, 1).all()


THEMES = {
    "delivery": ["parcel late", "courier lost the parcel", "delivery took weeks", "shipping delay"],
    "price": ["too expensive", "price is outrageous", "cheaper elsewhere", "costs too much money"],
    "app": ["app crashes at login", "app freezes on my phone", "cannot log in to the app"],
    "taste": ["the coffee tastes bitter", "coffee beans smell stale", "bitter coffee again"],
}


def said(count: int, seed: int, themes: list[str]) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    drawn = [themes[i] for i in rng.integers(0, len(themes), count)]
    ends = ("", " again", ", please fix", " since monday", " and nobody answers", " honestly")
    return [f"{rng.choice(THEMES[theme])}{rng.choice(ends)}" for theme in drawn], drawn


def test_topics_are_named_by_what_is_said_and_keep_their_identity(embedder: Embedder) -> None:
    texts, _ = said(400, 0, ["delivery", "price", "app"])
    first = fit_topics(texts, embedder.embed(texts), counts=(3,))
    named = " ".join(first.names)
    assert "app" in named
    assert "parcel" in named or "delivery" in named
    assert "price" in named or "expensive" in named
    later, truth = said(500, 1, ["delivery", "price", "app", "taste"])
    vectors = embedder.embed(later)
    second = fit_topics(later, vectors, old=first, counts=(3, 4))
    assert set(first.ids) <= set(second.ids)
    old_names = dict(zip(first.ids, first.names, strict=True))
    new_names = dict(zip(second.ids, second.names, strict=True))
    assert {key: new_names[key] for key in old_names} == old_names
    (born,) = set(second.ids) - set(first.ids)
    assert "coffee" in new_names[born]
    assigned = second.assign(vectors)
    assert (assigned["topic_id"][np.array(truth) == "taste"] == born).mean() > 0.9
    assert first.assign(embedder.embed(["quantum field theory lecture"]))["topic_id"][0] == NONE


def test_an_aspect_has_the_mood_of_its_own_clause(embedder: Embedder) -> None:
    aspects = Taxonomy.of(aspect_phrases(), embedder)
    found = aspect_moods(
        ["The product is well made and lovely. But the parcel arrived weeks late, terrible!", ""],
        aspects, bundled_model(), embedder,
    ).set_index("aspect")["score"]  # fmt: skip
    assert found["quality"] > 0.2 > -0.2 > found["delivery"]
