"""Each customer's categories, the likeliest first."""

from datetime import datetime
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ml.category import CATEGORY
from ml.category_rows import labelled_categories
from ml.classifier import train
from ml.reasons import Phrase
from orchestration.champions import Champion, FeaturesGone
from orchestration.defs.category.checks import check_categories_are_ranked
from orchestration.event_score_tables import CATEGORY_SCORES
from orchestration.event_scores import in_order, require_columns, score_rows
from orchestration.registry import Version
from tests.ml.test_category import pairs

NOW = datetime(2024, 7, 1)
PHRASES = {"category_line_share": Phrase("share", "buys of it {value}", decimals=2)}


@pytest.fixture(scope="module")
def champion() -> Champion:
    frame, horizon_days = labelled_categories(pairs(120), pd.Timestamp(NOW))
    model = train(frame, CATEGORY, horizon_days=horizon_days, num_threads=1)
    return Champion(Version("category", 3, Path("."), {}), model, {})


def rows_now() -> pd.DataFrame:
    rows = pairs(40, seed=2)
    return rows[rows["as_of"] == rows["as_of"].max()].drop(columns="label")


def score(rows: pd.DataFrame, champion: Champion) -> pd.DataFrame:
    scored = score_rows(rows, CATEGORY_SCORES, champion, PHRASES, NOW, threads=1)
    return in_order(scored, CATEGORY_SCORES)


def hold(writer: duckdb.DuckDBPyConnection, scores: pd.DataFrame) -> None:
    writer.register("made", scores)
    writer.execute("delete from marts.category_scores")
    writer.execute("insert into marts.category_scores by name select * from made")


def test_every_customer_has_each_category_once_and_the_likeliest_first(
    champion: Champion, scratch: duckdb.DuckDBPyConnection
) -> None:
    scores = score(rows_now(), champion)
    assert len(scores) == 120
    assert set(scores["model_version"]) == {"category:3"}
    assert scores.groupby("customer_key")["rank"].apply(sorted).map(lambda r: r == [1, 2, 3]).all()
    assert scores["top_reasons"].map(len).between(1, 3).all()
    assert scores["top_reasons"].explode().str.contains("buys of it").any()
    best = scores.loc[scores.groupby("customer_key")["probability"].idxmax()]
    assert (best["rank"] == 1).all()
    hold(scratch, scores)
    assert check_categories_are_ranked(scratch).passed


def test_order_of_rows_does_not_matter_and_ties_go_by_name(champion: Champion) -> None:
    rows = rows_now()
    once = score(rows, champion)
    again = score(rows.sample(frac=1, random_state=1), champion)
    pd.testing.assert_frame_equal(once.reset_index(drop=True), again.reset_index(drop=True))
    alike = rows.assign(**dict.fromkeys(champion.model.features, 1.0))
    tied = score(alike, champion)
    assert (
        tied.groupby("customer_key")["category"]
        .apply(list)
        .map(lambda names: names == sorted(names))
        .all()
    )
    assert score(rows.head(0), champion).empty


def test_the_check_fails_on_what_is_out_of_order(
    champion: Champion, scratch: duckdb.DuckDBPyConnection
) -> None:
    sound = score(rows_now(), champion)
    swapped = sound.assign(rank=4 - sound["rank"])
    for wrong in (
        swapped,
        sound.assign(probability=sound["rank"] / 10),
        pd.concat([sound, sound.head(1)]),
        sound[sound["rank"] > 1],
    ):
        hold(scratch, wrong)
        assert not check_categories_are_ranked(scratch).passed
    hold(scratch, sound.head(0))
    assert check_categories_are_ranked(scratch).passed


def test_a_champion_whose_features_are_gone_says_so(champion: Champion) -> None:
    names = [name for name in rows_now() if name != "category_line_share"]
    with pytest.raises(FeaturesGone, match=r"marts\.category_features .* has no category_line"):
        require_columns(names, CATEGORY_SCORES, champion)
