"""The text models in force, under one name that says which they are."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ml.text_minilm import MODEL, can_embed
from ml.text_reading import Readers
from ml.text_sentiment import Judge, LexiconJudge, SentimentModel
from ml.text_store import StoreError, load
from ml.text_topics import Topics
from orchestration.lake import Lake
from orchestration.registry import Registry, Version
from orchestration.settings import Settings
from orchestration.texts.folder import TextFolder, read_folder
from orchestration.texts.vectors import LakeVectors

SENTIMENT, TOPICS = "sentiment", "topics"
FILE = "model.npz"
READING = "reading-1"
"""Another one where the same models would read a text otherwise."""
INSTALL = "install what reads texts with: pip install 'shoal[text]' (see docs/text.md)"
NOT_INSTALLED = "none"

_kept: dict[tuple[str, Path], "TextModels"] = {}


@dataclass(frozen=True)
class TextModels:
    """What reads texts, and under which name its readings are kept.

    Attributes
    ----------
    readers : Readers or None
        None where not even the lexicon is installed.
    embeds : bool
        Whether there are vectors; without them the lexicon alone judges.
    notes : tuple of str
        What is not as it could be, for people.
    """

    readers: Readers | None
    version: str
    embeds: bool
    notes: tuple[str, ...] = ()


def text_models(lake: Lake, registry: Registry, values: Settings) -> TextModels:
    """The models in force; read once by a process while they stay the same.

    Raises
    ------
    TaxonomyError, LabelError
        A file of the folder of texts is not of its form.
    """
    if not find_spec("vaderSentiment"):
        return TextModels(None, NOT_INSTALLED, embeds=False, notes=(INSTALL,))
    if not can_embed(values.language_models):
        return TextModels(
            Readers(LexiconJudge()), f"{READING} lexicon", embeds=False,
            notes=(f"texts are judged by the lexicon alone; {INSTALL}",),
        )  # fmt: skip
    folder = read_folder(values.texts)
    sentiment, topics = registry.champion(SENTIMENT), registry.champion(TOPICS)
    version = " ".join(
        [
            READING,
            MODEL,
            "sentiment:bundled" if sentiment is None else sentiment.label,
            "topics:none" if topics is None else topics.label,
            f"folder:{_digest(folder)}",
        ]
    )
    key = (version, values.root)
    if key not in _kept:
        _kept.clear()
        _kept[key] = _load(lake, values, folder, sentiment, topics, version)
    return _kept[key]


def kept_topics(version: Version | None) -> Topics | None:
    """The topics of a version; None where there are none, or none on these embeddings."""
    found = _model(version)
    return found if isinstance(found, Topics) else None


def _load(
    lake: Lake, values: Settings, folder: TextFolder, sentiment: Version | None,
    topics: Version | None, version: str,
) -> TextModels:  # fmt: skip
    from ml.text_bundled import bundled_model
    from ml.text_intents import train_intents
    from ml.text_taxonomy import Taxonomy, aspect_phrases

    vectors = LakeVectors(lake, values.language_models, values.live_threads)
    examples = [(text, name) for name, texts in folder.intents.items() for text in texts]
    examples += _labelled(lake, folder)
    texts, names = [text for text, _ in examples], [name for _, name in examples]
    learnt = _model(sentiment)
    judge: Judge = learnt if isinstance(learnt, SentimentModel) else bundled_model()
    notes = tuple(
        f"{each.label} was learnt on other embeddings: run training_job"
        for each in (sentiment, topics)
        if each is not None and _model(each) is None
    )
    readers = Readers(
        judge=judge,
        intents=train_intents(texts, vectors.embed(texts), names),
        aspects=Taxonomy.of(aspect_phrases(), vectors),
        taxonomy=Taxonomy.of(folder.taxonomy, vectors) if folder.taxonomy else None,
        topics=kept_topics(topics),
    )
    return TextModels(readers, version, embeds=True, notes=notes)


def _labelled(lake: Lake, folder: TextFolder) -> list[tuple[str, str]]:
    """Texts whose intent a person said."""
    if not folder.labelled_intents:
        return []
    with lake.reader(latest=True) as connection:
        rows = connection.execute(
            "select feedback_ref, body from ops.masked_texts "
            "where feedback_ref in (select unnest(?::varchar[])) order by feedback_ref",
            [list(folder.labelled_intents)],
        ).fetchall()
    return [(body, folder.labelled_intents[ref]) for ref, body in rows if body.strip()]


def _model(version: Version | None) -> SentimentModel | Topics | None:
    return None if version is None else _read(version.folder)


@lru_cache(maxsize=4)
def _read(folder: Path) -> SentimentModel | Topics | None:
    try:
        found = load(folder / FILE)
    except StoreError:
        return None
    assert isinstance(found, SentimentModel | Topics)
    return found


def _digest(folder: TextFolder) -> str:
    told = json.dumps([folder.taxonomy, folder.intents, folder.labelled_intents], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]
