"""What customers say: texts masked, embedded and read, each once; and the models that read them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.partitions import newest
from orchestration.settings import settings

OWNERS = ["team:data-science"]
GROUP = "text"
MASKED = dg.AssetKey(["ops", "masked_texts"])
EMBEDDINGS = dg.AssetKey(["ops", "text_embeddings"])
READINGS = dg.AssetKey(["ops", "text_readings"])
TOPICS = dg.AssetKey(["marts", "topics"])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            MASKED,
            deps=[newest("raw", "feedback")],
            kinds={"python", "ducklake"},
            owners=OWNERS,
            description="One row per feedback: its text, cleaned and without personal data.",
        ),
        dg.AssetSpec(
            EMBEDDINGS,
            deps=[MASKED],
            kinds={"onnx", "ducklake"},
            owners=OWNERS,
            description="One vector per text or clause, by its content.",
        ),
    ],
    group_name=GROUP,
    name="masked_texts",
)
def masked_texts(
    context: dg.AssetExecutionContext, lake: Lake
) -> tuple[dg.MaterializeResult[Any], dg.MaterializeResult[Any]]:
    """One masked text per feedback, and one vector per text: only what is new costs."""
    from orchestration.texts.stage import mask_and_embed

    with lake.writer("take in texts") as connection:
        create_tables(connection)
    taken = mask_and_embed(lake, settings(), context.log.warning)
    return (
        dg.MaterializeResult(asset_key=MASKED, metadata={"masked": taken.masked}),
        dg.MaterializeResult(asset_key=EMBEDDINGS, metadata={"embedded": taken.embedded}),
    )


@dg.asset(deps=[MASKED, EMBEDDINGS], group_name=GROUP, kinds={"numpy", "mlflow"}, owners=OWNERS)
def sentiment_model(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """The mood of texts, learnt from labels and ratings if that beats what comes with the code."""
    from orchestration.documents import frame_markdown
    from orchestration.texts.learning import try_to_learn_sentiment

    learnt, reason = try_to_learn_sentiment(lake, settings())
    if learnt is None:
        context.log.info(f"no sentiment learnt: {reason}")
        return dg.MaterializeResult(metadata={"trained": False, "reason": reason})
    return dg.MaterializeResult(
        metadata={
            "trained": True,
            "version": learnt.version.label,
            "in_force": learnt.in_force,
            "figures": dg.MetadataValue.md(frame_markdown(learnt.figures)),
        }
    )


@dg.asset(
    key=TOPICS,
    deps=[MASKED, EMBEDDINGS],
    group_name=GROUP,
    kinds={"scikitlearn", "mlflow", "ducklake"},
    owners=OWNERS,
)
def topics(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per topic that there ever was: found in the texts, under the ids of those before."""
    from orchestration.texts.learning import try_to_find_topics

    found, reason = try_to_find_topics(lake, settings())
    if found is None:
        context.log.info(f"no topics found: {reason}")
        return dg.MaterializeResult(metadata={"trained": False, "reason": reason})
    named = [f"- {number}: {name}" for number, name in zip(found.ids, found.names, strict=True)]
    return dg.MaterializeResult(
        metadata={"trained": True, "topics": dg.MetadataValue.md("\n".join(named))}
    )


@dg.asset(
    key=READINGS,
    deps=[MASKED, EMBEDDINGS, "sentiment_model", TOPICS],
    group_name=GROUP,
    kinds={"numpy", "ducklake"},
    owners=OWNERS,
)
def text_readings(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any]]:
    """One row per masked text, by its content: mood, intent, urgency, aspects, topics."""
    from orchestration.texts.stage import read_new_texts

    taken = read_new_texts(lake, settings(), context.log.warning)
    yield dg.MaterializeResult(
        metadata={"read": taken.read, "without_mood": taken.unread, "models": taken.models}
    )
