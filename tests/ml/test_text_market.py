"""A planted burst of complaints in the simulated market, heard from the texts alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.text_bundled import bundled_model
from ml.text_bursts import find_bursts
from ml.text_cleaning import clean_all
from ml.text_embeddings import Embedder
from ml.text_minilm import is_installed
from ml.text_pii import mask
from ml.text_sentiment import judge_texts
from ml.text_topic_names import name_topics
from simulation import MarketConfig, simulate

CONFIG = MarketConfig(customers=2_000, events=60_000, seed=5, days=300)


def read(folder: Path) -> pd.DataFrame:
    return pd.concat(map(pd.read_parquet, sorted(folder.rglob("*.parquet"))), ignore_index=True)


@pytest.fixture(scope="module")
def feedback(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    root = tmp_path_factory.mktemp("market")
    simulate(CONFIG, root / "landing", root / "truth", datetime(2026, 11, 22))
    frame = read(root / "landing/feedback").merge(read(root / "truth/feedback_truth"))
    frame.attrs["bursts"] = read(root / "truth/complaints_truth").to_dict("records")
    return frame


def assert_heard(feedback: pd.DataFrame, is_complaint: pd.Series) -> None:
    """Each planted burst is told within the hour it starts; nothing else is told at all."""
    complaints = feedback[is_complaint]
    found = find_bursts(
        complaints["posted_at"], complaints["product_ref"],
        observed_from=feedback["posted_at"].min(),
    )  # fmt: skip
    planted = {burst["product_ref"]: burst for burst in feedback.attrs["bursts"]}
    assert {burst.subject for burst in found} == set(planted)
    for burst in found:
        start = planted[burst.subject]["start"]
        assert start <= burst.noticed_at
    for product, truth in planted.items():
        first = min(burst.noticed_at for burst in found if burst.subject == product)
        assert first <= truth["start"] + timedelta(hours=1)


def test_bursts_are_heard_in_what_is_truly_a_complaint(feedback: pd.DataFrame) -> None:
    assert_heard(feedback, feedback["sentiment"] < -0.15)


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="needs the extra `text`")
def test_bursts_are_heard_in_the_texts_and_named(feedback: pd.DataFrame, tmp_path: Path) -> None:
    texts = [mask(found.text) for found in clean_all(feedback["body"])]
    moods = judge_texts(bundled_model(), texts, Embedder(tmp_path).embed(texts))
    score = moods["score"].astype(float)
    assert np.corrcoef(score, feedback["sentiment"])[0, 1] > 0.8
    assert_heard(feedback, moods["sentiment"] == "negative")
    complaints = feedback[moods["sentiment"] == "negative"]
    found = find_bursts(complaints["posted_at"], complaints["product_ref"])
    said = {"quality": ("broke", "rubbish", "defect", "flimsy", "poor", "useless", "horrible"),
            "delivery": ("arrived", "late", "parcel", "delayed", "smashed")}  # fmt: skip
    for burst in found:
        truth = next(b for b in feedback.attrs["bursts"] if b["product_ref"] == burst.subject)
        rows = complaints.index[list(burst.rows)]
        groups = feedback.index.isin(rows).astype(np.int64)
        words = " ".join(name_topics(texts, groups, 2)[1])
        assert any(word in words for word in said[truth["topic"]]), words
