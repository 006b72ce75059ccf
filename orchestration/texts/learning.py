"""Learning text models, or the reason why not, for the assets."""

from ml.text_minilm import ModelError, can_embed
from ml.text_taxonomy import TaxonomyError
from ml.text_topics import Topics
from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.texts.folder import LabelError, read_folder
from orchestration.texts.models import INSTALL
from orchestration.texts.training import (
    Learnt,
    NotWorthIt,
    learn_sentiment,
    learn_topics,
    list_topics_in_force,
)
from orchestration.texts.vectors import LakeVectors


def try_to_learn_sentiment(lake: Lake, values: Settings) -> tuple[Learnt | None, str]:
    """The model that was learnt, or why there is none."""
    vectors, reason = _vectors(lake, values)
    if vectors is None:
        return None, reason
    try:
        folder = read_folder(values.texts)
        return learn_sentiment(lake, Registry(values), values, folder, vectors), ""
    except (NotWorthIt, LabelError, TaxonomyError, ModelError) as problem:
        return None, str(problem)


def try_to_find_topics(lake: Lake, values: Settings) -> tuple[Topics | None, str]:
    """The topics that were found, or why there are none."""
    vectors, reason = _vectors(lake, values)
    if vectors is None:
        return None, reason
    registry = Registry(values)
    try:
        return learn_topics(lake, registry, values, vectors), ""
    except NotWorthIt as problem:
        list_topics_in_force(lake, registry)
        return None, str(problem)
    except ModelError as problem:
        return None, str(problem)


def _vectors(lake: Lake, values: Settings) -> tuple[LakeVectors | None, str]:
    if not values.read_texts:
        return None, "SHOAL_READ_TEXTS is false"
    if not can_embed(values.language_models):
        return None, INSTALL
    return LakeVectors(lake, values.language_models, values.threads), ""
