"""The stage of a run that takes in texts: masked, embedded and read before the tables are made."""

from collections.abc import Callable
from dataclasses import dataclass

from orchestration.lake import Lake
from orchestration.settings import Settings

Log = Callable[[str], object]


@dataclass(frozen=True)
class Taken:
    """How many texts were masked, embedded (with their clauses), read, and left without a mood."""

    masked: int = 0
    embedded: int = 0
    read: int = 0
    unread: int = 0
    models: str = ""


def mask_and_embed(lake: Lake, values: Settings, log: Log, *, fresh_only: bool = False) -> Taken:
    """Mask texts, and embed what is new; a text that cannot be embedded waits."""
    from ml.text_minilm import ModelError, can_embed
    from orchestration.texts.masking import mask_texts
    from orchestration.texts.models import INSTALL
    from orchestration.texts.vectors import LakeVectors, embed_texts

    masked = mask_texts(lake, fresh_only=fresh_only)
    if not values.read_texts:
        return Taken(masked)
    if not can_embed(values.language_models):
        if masked:
            log(f"texts are not embedded; {INSTALL}")
        return Taken(masked)
    threads = values.live_threads if fresh_only else values.threads
    vectors = LakeVectors(lake, values.language_models, threads)
    try:
        return Taken(masked, embed_texts(lake, vectors, fresh_only=fresh_only))
    except ModelError as problem:
        log(f"texts are not embedded: {problem}")
        return Taken(masked)


def read_new_texts(lake: Lake, values: Settings, log: Log, *, fresh_only: bool = False) -> Taken:
    """Read what the models in force have not read; where they cannot, texts wait unread."""
    from ml.text_minilm import ModelError
    from ml.text_taxonomy import TaxonomyError
    from orchestration.registry import Registry
    from orchestration.texts.folder import LabelError
    from orchestration.texts.models import text_models
    from orchestration.texts.reading import read_masked_texts

    if not values.read_texts:
        log("texts are masked and not read: SHOAL_READ_TEXTS is false")
        return Taken()
    try:
        models = text_models(Registry(values), values)
        read = read_masked_texts(lake, models, values, fresh_only=fresh_only)
        for note in models.notes if read.texts else ():
            log(note)
    except (LabelError, ModelError, TaxonomyError) as problem:
        log(f"texts are left unread for now: {problem}")
        return Taken()
    return Taken(read=read.texts, unread=read.unread, models=models.version)


def take_fresh_texts(lake: Lake, values: Settings, log: Log) -> Taken:
    """What a live batch brings: one small query where it brings no text."""
    with lake.reader(latest=True) as connection:
        row = connection.execute(
            "select coalesce(sum(accepted), 0) from ops.landed_files where entity = 'feedback' "
            "and batch_id > (select coalesce(max(batch_id) filter (where snapshot_id is not null)"
            ", 0) from ops.batches)"
        ).fetchone()
    if row is None or not row[0]:
        return Taken()
    taken = mask_and_embed(lake, values, log, fresh_only=True)
    read = read_new_texts(lake, values, log, fresh_only=True)
    return Taken(taken.masked, taken.embedded, read.read, read.unread, read.models)
