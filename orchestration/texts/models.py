"""The text models in force, under one name that says which they are."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from ml.text_minilm import MODEL, can_embed
from ml.text_reading import Readers
from ml.text_sentiment import Judge, LexiconJudge, SentimentModel
from ml.text_store import TextModel, load
from ml.text_topics import Topics
from orchestration.lake import Lake
from orchestration.registry import Registry, Version
from orchestration.settings import Settings
from orchestration.texts.folder import TextFolder, read_folder
from orchestration.texts.vectors import LakeVectors

SENTIMENT, TOPICS = "sentiment", "topics"
FILE = "model.npz"
EMBEDDING = "embedding"
"""Tag of a version: on which embeddings it was learnt."""
READING = "reading-1"
"""Another one where the same models would read a text otherwise."""
INSTALL_COMMAND = ".venv/bin/pip install -c constraints.txt -e '.[text]'"
INSTALL = f"install what reads texts with: {INSTALL_COMMAND} (see docs/text.md)"
NOT_INSTALLED = "none"

_kept: dict[tuple[str, Path], Readers] = {}


@dataclass(frozen=True)
class TextModels:
    """Which models read texts; they are loaded when there is something to read.

    Attributes
    ----------
    version : str
        The name under which their readings are kept.
    reads, embeds : bool
        Whether anything is installed that reads texts, and whether there are vectors; without
        them the lexicon alone judges.
    notes : tuple of str
        What is not as it could be, for people.
    """

    version: str
    reads: bool
    embeds: bool
    notes: tuple[str, ...] = ()
    folder: TextFolder = field(default_factory=TextFolder)
    sentiment: Version | None = None
    topics: Version | None = None

    def load(self, lake: Lake, values: Settings) -> Readers:
        """Read the models; a process reads them once while they stay the same."""
        if not self.embeds:
            return Readers(LexiconJudge())
        key = (self.version, values.root)
        if key not in _kept:
            _kept.clear()
            _kept[key] = _load(lake, values, self)
        return _kept[key]


def text_models(registry: Registry, values: Settings) -> TextModels:
    """The models in force.

    Raises
    ------
    TaxonomyError, LabelError
        A file of the folder of texts is not of its form.
    """
    if not find_spec("vaderSentiment"):
        return TextModels(NOT_INSTALLED, reads=False, embeds=False, notes=(INSTALL,))
    if not can_embed(values.language_models):
        note = f"texts are judged by the lexicon alone; {INSTALL}"
        return TextModels(f"{READING} lexicon", reads=True, embeds=False, notes=(note,))
    folder = read_folder(values.texts)
    champions = [registry.champion(task) for task in (SENTIMENT, TOPICS)]
    notes = tuple(
        f"{each.label} was learnt on other embeddings and is left out: run training_job"
        for each in champions
        if each is not None and not is_of_these_embeddings(each)
    )
    sentiment, topics = (
        each if each is not None and is_of_these_embeddings(each) else None for each in champions
    )
    version = " ".join(
        [
            READING,
            MODEL,
            "sentiment:bundled" if sentiment is None else sentiment.label,
            "topics:none" if topics is None else topics.label,
            f"folder:{_digest(folder)}",
        ]
    )
    return TextModels(version, True, True, notes, folder, sentiment, topics)


def is_of_these_embeddings(version: Version) -> bool:
    """Whether a version was learnt on vectors as they are computed now."""
    return version.tags.get(EMBEDDING) == MODEL


def kept_topics(version: Version | None) -> Topics | None:
    """The topics of a version; None where there are none, or none on these embeddings."""
    if version is None or not is_of_these_embeddings(version):
        return None
    found = _read(version.folder)
    assert isinstance(found, Topics)
    return found


def _load(lake: Lake, values: Settings, models: TextModels) -> Readers:
    from ml.text_bundled import bundled_model
    from ml.text_intents import train_intents
    from ml.text_taxonomy import Taxonomy, aspect_phrases

    vectors = LakeVectors(lake, values.language_models, values.live_threads)
    folder = models.folder
    examples = [(text, name) for name, texts in folder.intents.items() for text in texts]
    examples += _labelled(lake, folder)
    texts, names = [text for text, _ in examples], [name for _, name in examples]
    judge: Judge = bundled_model()
    if models.sentiment is not None:
        learnt = _read(models.sentiment.folder)
        assert isinstance(learnt, SentimentModel)
        judge = learnt
    return Readers(
        judge=judge,
        intents=train_intents(texts, vectors.embed(texts), names),
        aspects=Taxonomy.of(aspect_phrases(), vectors),
        taxonomy=Taxonomy.of(folder.taxonomy, vectors) if folder.taxonomy else None,
        topics=kept_topics(models.topics),
    )


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


@lru_cache(maxsize=4)
def _read(folder: Path) -> TextModel:
    """The files of a version never change, so a process that stays reads them once."""
    return load(folder / FILE)


def _digest(folder: TextFolder) -> str:
    told = json.dumps([folder.taxonomy, folder.intents, folder.labelled_intents], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:8]
