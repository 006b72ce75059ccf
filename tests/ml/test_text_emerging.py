"""A term is told when it is new and frequent, with texts that show it, and not from the future."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np

from ml.text_emerging import emerging_terms, telling_words

AS_OF = datetime(2026, 6, 1)
USUAL = ("parcel late", "great lamp", "refund overdue", "friendly support", "broken cup")


def talk(seed: int = 0) -> tuple[list[str], list[datetime]]:
    rng = np.random.default_rng(seed)
    hours = rng.uniform(-29 * 24, 48, 1_200)
    texts = [f"{rng.choice(USUAL)} {rng.choice(USUAL)}" for _ in hours]
    return texts, [AS_OF + timedelta(hours=float(hour)) for hour in hours]


def test_a_new_term_is_told_with_its_newest_texts() -> None:
    texts, times = talk()
    texts += [f"battery fire in box {i}" for i in range(12)]
    times += [AS_OF - timedelta(hours=12 - i) for i in range(12)]
    found = emerging_terms(texts, times, AS_OF)
    assert found["term"].iloc[0] == "battery fire"
    assert "battery" not in set(found["term"])
    first = found.iloc[0]
    assert (first["texts"], first["before"]) == (12, 0)
    assert [texts[row] for row in first["examples"]] == [
        f"battery fire in box {i}" for i in (11, 10, 9)
    ]


def test_usual_talk_has_no_news() -> None:
    assert sum(len(emerging_terms(*talk(seed), AS_OF)) for seed in range(5)) == 0


def test_the_future_is_not_read() -> None:
    texts, times = talk()
    texts += ["battery fire"] * 50
    times += [AS_OF + timedelta(hours=1)] * 50
    assert emerging_terms(texts, times, AS_OF).empty
    assert not emerging_terms(texts, times, AS_OF + timedelta(hours=2)).empty


def test_what_was_always_frequent_is_not_new() -> None:
    texts, times = talk()
    more = [AS_OF - timedelta(hours=float(h)) for h in np.linspace(1, 28 * 24, 672)]
    found = emerging_terms([*texts, *["battery fire"] * 672], [*times, *more], AS_OF)
    assert "battery fire" not in set(found["term"])


def test_no_texts_no_terms() -> None:
    assert emerging_terms([], [], AS_OF).empty


def test_words_tell_texts_from_others_not_what_all_say() -> None:
    texts, _ = talk()
    said = [f"battery fire, refund overdue {i}" for i in range(20)]
    assert telling_words(said, [text for text in texts if "refund" in text], 1) == ("battery fire",)
    words = telling_words(said, texts, 4)
    assert words[0] == "battery fire"
    assert len({part for word in words for part in word.split()}) == sum(
        len(word.split()) for word in words
    )


def test_texts_that_share_no_word_have_no_telling_one() -> None:
    assert telling_words(["one sentence", "another phrase"], ["something else"], 4) == ()
