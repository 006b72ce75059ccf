"""Text models learnt anew: mood from labels and ratings, topics under the ids of those before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ml.text_embeddings import Embeds
from ml.text_language import detect_languages
from ml.text_minilm import MODEL
from ml.text_sentiment import SPEAKS, LexiconJudge
from ml.text_store import TextModel, save
from ml.text_topics import Topics, fit_topics
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake, current_snapshot
from orchestration.registry import Registry, Version, code_version, scratch_folder
from orchestration.settings import Settings
from orchestration.texts.folder import TextFolder
from orchestration.texts.models import (
    EMBEDDING,
    FILE,
    SENTIMENT,
    TOPICS,
    is_of_these_embeddings,
    kept_topics,
)

MOST_TEXTS = 20_000
"""The newest so many texts teach."""
GROWTH = 1.1
"""A model is learnt anew once it could learn from so many times what it learnt from."""
RATING_WEIGHT, LABEL_WEIGHT = 0.5, 1.0
LEARNT_FROM, NEXT_ID = "texts", "next_topic_id"


class NotWorthIt(RuntimeError):
    """Why no model was learnt."""


@dataclass(frozen=True)
class Learnt:
    """A model that was learnt: its version, whether it is in force, and its figures."""

    version: Version
    in_force: bool
    figures: pd.DataFrame


def learn_sentiment(
    lake: Lake, registry: Registry, values: Settings, folder: TextFolder, embedder: Embeds
) -> Learnt:
    """Learn moods from labels of people, and from ratings as weaker ones.

    The model is put in force if it beats what comes with the code, and the lexicon, on the newest
    fifth of the texts.

    Raises
    ------
    NotWorthIt
        There are too few labels, or hardly more than the model in force has seen.
    """
    from ml.text_bundled import bundled_model
    from ml.text_sentiment_training import train_sentiment

    texts = _labelled(lake, folder)
    require_growth(registry.newest(SENTIMENT), len(texts), "labelled texts")
    try:
        trained = train_sentiment(
            texts["body"].tolist(),
            embedder.embed(texts["body"].tolist()),
            texts["label"].tolist(),
            weights=texts["weight"].tolist(),
            rivals={"bundled": bundled_model(), "lexicon": LexiconJudge()},
            seed=values.seed,
        )
    except ValueError as problem:
        raise NotWorthIt(f"the bundled model stays: {problem}") from None
    figures = trained.figures.set_index("model").astype(float)
    version = _register(
        lake, registry, SENTIMENT, trained.model, len(texts), values,
        dict(zip(figures.columns, figures.loc["trained"].to_numpy(dtype=float), strict=True)),
    )  # fmt: skip
    if trained.is_better:
        macro_f1 = figures["macro_f1"]
        best = macro_f1.drop("trained").max()
        registry.promote(version, f"macro F1 {macro_f1['trained']:.3f} against {best:.3f}")
    return Learnt(version, trained.is_better, trained.figures)


def learn_topics(lake: Lake, registry: Registry, values: Settings, embedder: Embeds) -> Topics:
    """Find topics among the newest texts, match them to those in force, and list them.

    Raises
    ------
    NotWorthIt
        There are too few texts, or hardly more than when the topics in force were found.
    """
    texts = _topical(lake)
    newest = registry.newest(TOPICS)
    require_growth(newest, len(texts), "texts")
    old = kept_topics(registry.champion(TOPICS))
    try:
        topics = fit_topics(
            texts["body"].tolist(), embedder.embed(texts["body"].tolist()), old=old,
            seed=values.seed,
        )  # fmt: skip
    except ValueError as problem:
        raise NotWorthIt(str(problem)) from None
    version = _register(
        lake, registry, TOPICS, topics, len(texts), values, {"topics": float(len(topics.ids))}
    )
    registry.promote(version, ", ".join(topics.names))
    with lake.writer("list topics") as connection, transaction(connection):
        list_topics(connection, topics, version)
    return topics


def list_topics_in_force(lake: Lake, registry: Registry) -> None:
    """Bring ``marts.topics`` to the champion, which a person may have gone back to."""
    version = registry.champion(TOPICS)
    topics = kept_topics(version)
    if version is not None and topics is not None:
        with lake.writer("list topics") as connection, transaction(connection):
            list_topics(connection, topics, version)


def require_growth(version: Version | None, count: int, of_what: str) -> None:
    """Raise `NotWorthIt` unless there is clearly more to learn from than a version had."""
    if version is None or not is_of_these_embeddings(version):
        return
    learnt_from = int(version.tags.get(LEARNT_FROM, 0))
    if count < GROWTH * learnt_from:
        raise NotWorthIt(
            f"{version.label} stays: it was learnt from {learnt_from} {of_what}, now there are "
            f"{count}"
        )


def list_topics(connection: duckdb.DuckDBPyConnection, topics: Topics, version: Version) -> None:
    """Bring ``marts.topics`` to what is in force, as of the newest feedback."""
    row = connection.execute("select max(posted_at) from raw.feedback").fetchone()
    assert row is not None
    (as_of,) = row
    connection.register(
        "topics_in_force",
        pa.table(
            {
                "topic_id": pa.array(topics.ids, pa.int32()),
                "topic_name": list(topics.names),
                "words": [list(words) for words in topics.words],
            }
        ),
    )
    connection.execute(
        "update marts.topics set retired_at = ? where retired_at is null "
        "and topic_id not in (select topic_id from topics_in_force)",
        [as_of],
    )
    connection.execute(
        "create or replace temporary table all_topics as "
        "select found.*, coalesce(known.born_at, ?) as born_at, null::timestamp as retired_at, "
        "? as model_version from topics_in_force as found left join marts.topics as known "
        "using (topic_id)",
        [as_of, version.label],
    )
    connection.execute(
        "delete from marts.topics where topic_id in (select topic_id from all_topics)"
    )
    connection.execute("insert into marts.topics by name select * from all_topics")
    connection.execute("drop table all_topics")
    connection.unregister("topics_in_force")


def _labelled(lake: Lake, folder: TextFolder) -> pd.DataFrame:
    """Texts with their label and its weight, the oldest first, each once."""
    from ml.text_sentiment_training import labels_of_ratings

    with lake.reader(latest=True) as connection:
        connection.register(
            "said",
            pa.table(
                {
                    "feedback_ref": pa.array(list(folder.moods), pa.string()),
                    "mood": pa.array(list(folder.moods.values()), pa.string()),
                }
            ),
        )
        texts = connection.execute(
            """
            select masked.content_hash, masked.body, feedback.posted_at, feedback.rating, said.mood
            from raw.feedback as feedback
            inner join ops.masked_texts as masked
                on
                    feedback.feedback_ref = masked.feedback_ref
                    and feedback.batch_id = masked.batch_id
            left join said on feedback.feedback_ref = said.feedback_ref
            where
                masked.kind <> 'empty'
                and (feedback.rating between 1 and 5 or said.mood is not null)
            qualify row_number() over (
                partition by masked.content_hash
                order by said.mood is null, feedback.posted_at desc, feedback.feedback_ref
            ) = 1
            order by feedback.posted_at desc, masked.content_hash
            limit ?
            """,
            [MOST_TEXTS],
        ).df()
        connection.unregister("said")
    texts = _spoken(texts).iloc[::-1].reset_index(drop=True)
    said = texts["mood"].notna()
    texts["label"] = texts["mood"].where(said, labels_of_ratings(texts["rating"]))
    texts["weight"] = said.map({True: LABEL_WEIGHT, False: RATING_WEIGHT})
    return texts


def _topical(lake: Lake) -> pd.DataFrame:
    """The newest texts in words, each once."""
    with lake.reader(latest=True) as connection:
        texts = connection.execute(
            """
            select masked.content_hash, any_value(masked.body) as body,
                max(feedback.posted_at) as posted_at
            from raw.feedback as feedback
            inner join ops.masked_texts as masked
                on
                    feedback.feedback_ref = masked.feedback_ref
                    and feedback.batch_id = masked.batch_id
            where masked.kind = 'text'
            group by 1
            order by posted_at desc, content_hash
            limit ?
            """,
            [MOST_TEXTS],
        ).df()
    return _spoken(texts)


def _spoken(texts: pd.DataFrame) -> pd.DataFrame:
    languages: Sequence[str] = detect_languages(texts["body"].tolist())
    is_spoken = pd.Series([language in SPEAKS for language in languages], texts.index, bool)
    return texts[is_spoken].reset_index(drop=True)


def _register(
    lake: Lake, registry: Registry, task: str, model: TextModel, texts: int, values: Settings,
    metrics: dict[str, float],
) -> Version:  # fmt: skip
    with lake.reader(latest=True) as connection:
        snapshot = current_snapshot(connection)
    tags: dict[str, Any] = {
        "lake_snapshot": str(snapshot),
        "code_version": code_version(),
        EMBEDDING: MODEL,
        LEARNT_FROM: str(texts),
    }
    if isinstance(model, Topics):
        tags[NEXT_ID] = str(model.next_id)
    with scratch_folder() as name:
        save(model, Path(name) / FILE)
        return registry.register(
            task, Path(name), metrics=metrics, parameters={"seed": values.seed, "texts": texts},
            tags=tags,
        )  # fmt: skip
