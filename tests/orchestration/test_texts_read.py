"""Texts are embedded and read once, by the models in force, and without them as far as it goes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from ml import text_minilm
from ml.text_embeddings import meaning
from ml.text_minilm import int8_model, is_installed
from orchestration.registry import Registry
from orchestration.texts.checks import check_every_text_is_read, check_languages_are_told
from orchestration.texts.learning import try_to_find_topics, try_to_learn_sentiment
from orchestration.texts.models import INSTALL_COMMAND, SENTIMENT
from orchestration.texts.vectors import LakeVectors
from tests.orchestration.text_room import TextRoom, text_room

needs_models = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="needs the extra `text`"),
]
GOOD, BAD = "I love this lamp, it is wonderful!", "The lamp broke after a day, terrible."
LEAVING = "Cancel my membership, I am going to another shop."
GERMAN = "Das Paket kam leider viel zu spät und war beschädigt."
ODD = (
    "",
    "😡😡",
    "<b></b>",
    "הטלוויזיה הגיעה שבורה ואני כועס",
    "word " * 20_000,
    "a\ufffdb␀",
    "?!",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    int8_model(folder)
    return folder


@pytest.fixture
def room(tmp_path: Path, models: Path) -> TextRoom:
    return text_room(tmp_path, models)


def readings(room: TextRoom) -> dict[str, dict[str, object]]:
    table = room.table(
        "select masked.body, readings.* from ops.masked_texts as masked "
        "inner join ops.text_readings as readings using (content_hash)"
    )
    return {row["body"]: row for row in table.to_dict("records")}


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    monkeypatch.setattr(text_minilm, "_READS", (package,))


def test_without_the_extra_the_lexicon_judges_and_says_how_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("vaderSentiment")
    without("no_such_package", monkeypatch)
    room = text_room(tmp_path)
    room.land([GOOD, BAD, LEAVING, *ODD])
    taken = room.take()
    assert (taken.masked, taken.embedded) == (10, 0)
    assert any(INSTALL_COMMAND in each for each in room.said)
    read = readings(room)
    assert read[GOOD]["sentiment"] == "positive"
    assert read[BAD]["sentiment"] == "negative"
    assert read[LEAVING]["threatens_to_leave"]
    assert read[BAD]["intent"] is None
    with room.lake.reader(latest=True) as connection:
        assert check_every_text_is_read(connection, is_on=True).passed


def test_switched_off_texts_are_masked_and_not_read(tmp_path: Path) -> None:
    room = text_room(tmp_path)
    room.values = room.values.model_copy(update={"read_texts": False})
    room.land([GOOD])
    taken = room.take()
    assert (taken.masked, taken.embedded, taken.read) == (1, 0, 0)
    assert any("SHOAL_READ_TEXTS" in each for each in room.said)
    with room.lake.reader(latest=True) as connection:
        assert check_every_text_is_read(connection, is_on=False).passed
        assert not check_every_text_is_read(connection, is_on=True).passed


def test_a_batch_without_texts_asks_one_small_question(tmp_path: Path) -> None:
    room = text_room(tmp_path)
    room.land([GOOD])
    room.publish()
    room.batches += 1
    room.execute(
        "insert into ops.batches select 2, 'hour', 'run', 1, 1, 0, 0, ingested_at, null, null "
        "from ops.batches"
    )
    assert room.take_fresh().masked == 0
    assert room.table("from ops.masked_texts").empty


class TestWithTheModel:
    """What needs the language model."""

    pytestmark = needs_models

    def test_a_text_is_masked_embedded_and_read_once(self, room: TextRoom) -> None:
        room.land([GOOD, GOOD, BAD, LEAVING, GERMAN, *ODD])
        first = room.take()
        assert first.masked == 12
        read = readings(room)
        assert read[GOOD]["sentiment"] == "positive"
        assert (read[BAD]["sentiment"], read[BAD]["intent"]) == ("negative", "complaint")
        assert read[LEAVING]["urgency"] == "urgent"
        assert (read[GERMAN]["language"], read[GERMAN]["unread_reason"]) == ("de", "language")
        assert read[""]["unread_reason"] == "empty"
        assert read["😡😡"]["intent"] is None
        assert dict(read[BAD]["sentiment_words"])["terrible"] < 0
        with room.lake.reader(latest=True) as connection:
            assert check_every_text_is_read(connection, is_on=True).passed
            assert check_languages_are_told(connection).passed
        started = time.perf_counter()
        again = room.take()
        assert (again.masked, again.embedded, again.read) == (0, 0, 0)
        assert time.perf_counter() - started < 5
        room.publish()
        room.land([GOOD, "A new text."])
        fresh = room.take_fresh()
        assert (fresh.masked, fresh.embedded, fresh.read) == (2, 1, 1)

    @pytest.mark.parametrize("bodies", [[], [GERMAN], ["", "!!"]])
    def test_where_nothing_can_be_learnt_what_is_there_stays(
        self, room: TextRoom, bodies: list[str]
    ) -> None:
        """A data set without texts: its models are trained all the same."""
        if bodies:
            room.land(bodies, rating=5)
            room.take()
        learnt, reason = try_to_learn_sentiment(room.lake, room.values)
        assert learnt is None
        assert "the bundled model stays" in reason
        topics, reason = try_to_find_topics(room.lake, room.values)
        assert topics is None
        assert reason

    def test_the_lake_gives_the_vectors_that_were_computed(self, room: TextRoom) -> None:
        texts = [GOOD, BAD, "", GOOD]
        first = LakeVectors(room.lake, room.values.language_models, 1)
        computed = first.embed(texts)
        second = LakeVectors(room.lake, room.values.language_models, 1)
        known = second.embed(texts)
        assert (first.computed, second.computed) == (2, 0)
        assert np.abs(known - computed).max() < 1e-3
        assert (computed[0] == computed[3]).all()
        assert not computed[2].any()
        assert np.linalg.norm(meaning(known)[:2], axis=1) == pytest.approx(1, abs=1e-2)

    def test_a_new_model_reads_anew_and_embeds_nothing(self, room: TextRoom) -> None:
        words = {1.0: "zorgled", 3.0: "midded", 5.0: "blixed"}
        stars = [(1.0, 3.0, 5.0)[row % 3] for row in range(180)]
        room.land([f"my lamp {words[star]} today {row}" for row, star in enumerate(stars)],
                  rating=stars, source_type="review")  # fmt: skip
        room.take()
        before = room.table("select content_hash, vector from ops.text_embeddings")
        learnt, reason = try_to_learn_sentiment(room.lake, room.values)
        assert learnt is not None, reason
        assert learnt.in_force
        found, reason = try_to_find_topics(room.lake, room.values)
        assert found is not None, reason
        assert try_to_learn_sentiment(room.lake, room.values)[0] is None
        again = room.take()
        assert again.embedded == 0
        assert again.read == 180
        assert "sentiment:1" in again.models
        after = room.table("select content_hash, vector from ops.text_embeddings")
        assert set(before["content_hash"]) <= set(after["content_hash"])
        read = readings(room)
        right = [
            read[f"my lamp {words[star]} today {row}"]["sentiment"]
            == {1.0: "negative", 3.0: "neutral", 5.0: "positive"}[star]
            for row, star in enumerate(stars)
        ]
        assert np.mean(right) > 0.95
        listed = room.table("from marts.topics")
        assert set(listed["topic_id"]) == set(found.ids)
        room.execute(
            "update marts.topics set retired_at = born_at where topic_id = ?", [found.ids[0]]
        )
        assert try_to_find_topics(room.lake, room.values)[0] is None
        assert room.table("select retired_at from marts.topics")["retired_at"].isna().all()
        assert Registry(room.values).champion(SENTIMENT) is not None

    def test_a_deployments_own_words_are_matched_and_a_typo_holds_up_nothing(
        self, room: TextRoom
    ) -> None:
        room.values.texts.mkdir()
        taxonomy = room.values.texts / "taxonomy.yml"
        taxonomy.write_text("lighting: [a lamp, the bulb of a lamp]\n")
        (room.values.texts / "intents.yml").write_text(
            "invoice: [Please send me the invoice, I need an invoice for my company]\n"
        )
        room.land([GOOD, "I need an invoice for my purchase, please."])
        room.take()
        read = readings(room)
        assert list(read[GOOD]["taxonomy"]) == ["lighting"]
        assert read["I need an invoice for my purchase, please."]["intent"] == "invoice"
        taxonomy.write_text("lighting: lamp\n")
        room.land([BAD])
        taken = room.take()
        assert (taken.masked, taken.read) == (1, 0)
        assert any("taxonomy.yml: lighting: write a list" in each for each in room.said)
        with room.lake.reader(latest=True) as connection:
            assert not check_every_text_is_read(connection, is_on=True).passed
        taxonomy.unlink()
        assert room.take().read == 3
