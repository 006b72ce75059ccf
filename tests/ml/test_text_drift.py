"""Planted drift of texts is found and named; texts that did not change are left in peace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.text_drift import text_drift

USUAL = [
    *("parcel", "late", "lamp", "broke", "refund", "overdue"),
    *("friendly", "support", "great", "price", "delivery", "box"),
]
NEW = ["battery", "fire", "smoke", "recall", "charger", "heat"]


def texts(seed: int, count: int = 600, vocabulary: list[str] = USUAL) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = np.clip(rng.normal(0, 0.5, count), -1, 1)
    return pd.DataFrame(
        {
            "body": [" ".join(rng.choice(vocabulary, rng.integers(3, 20))) for _ in range(count)],
            "language": rng.choice(["en", "de", None], count, p=[0.8, 0.15, 0.05]),
            "sentiment_score": score,
            "sentiment": np.select(
                [score < -0.3, score > 0.3], ["negative", "positive"], "neutral"
            ),
            "intent": rng.choice(["complaint", "praise", "question"], count),
            "topic": rng.choice(["price", "delivery", None], count),
            "source_type": rng.choice(["review", "ticket"], count),
        }
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_texts_that_did_not_change_have_not_drifted(seed: int) -> None:
    found = text_drift(texts(seed), texts(seed + 100), seed=seed)
    assert found.drifted == []
    assert set(found.columns["column"]) >= {"language", "words", "topic", "wording"}


def mixed(frame: pd.DataFrame) -> pd.DataFrame:
    other = texts(9, 200, [*USUAL, *NEW])
    return frame.assign(body=[*other["body"], *frame["body"].iloc[200:]])


@pytest.mark.parametrize(
    ("planted", "column"),
    [
        (lambda now: now.assign(language=now["language"].replace("en", "fr")), "language"),
        (lambda now: now.assign(body=now["body"] + " " + now["body"]), "words"),
        (lambda now: now.assign(sentiment_score=now["sentiment_score"] - 0.3), "sentiment_score"),
        (lambda now: now.assign(topic=now["topic"].replace("price", "returns")), "topic"),
        (lambda now: now.assign(topic=None), "topic"),
        (mixed, "wording"),
    ],
)
def test_planted_drift_is_found_and_named(
    planted: Callable[[pd.DataFrame], pd.DataFrame], column: str
) -> None:
    found = text_drift(texts(0), planted(texts(1)))
    assert found.drifted == [column]
    assert column in found.html


def test_the_same_sentences_more_often_are_no_new_wording() -> None:
    few = texts(3, 40)["body"]
    said = [texts(seed).assign(body=few.sample(600, replace=True, random_state=seed).to_numpy())
            for seed in (4, 5)]  # fmt: skip
    assert "wording" not in text_drift(*said).drifted


def test_too_few_texts_are_said() -> None:
    with pytest.raises(ValueError, match="current window has 20 texts: 100 are needed"):
        text_drift(texts(0), texts(1, 20))
