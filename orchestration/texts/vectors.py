"""Embeddings that the lake remembers: a text, a clause or a phrase is embedded once, ever."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from ml.text_cleaning import content_hash
from ml.text_embeddings import Embedder, Vectors
from ml.text_minilm import DIMENSIONS, MODEL
from ml.text_taxonomy import clauses
from orchestration.lake import Lake
from orchestration.texts.slices import replace_rows, slices, unpublished


@lru_cache(maxsize=1)
def _embedder(models: Path, threads: int) -> Embedder:
    return Embedder(models, threads=threads)


class LakeVectors:
    """An embedder that looks into the lake first, and keeps there what it had to compute.

    Parameters
    ----------
    lake : Lake
    models : Path
        Folder of the language model.
    threads : int

    Attributes
    ----------
    computed : int
        Texts that were not known.
    """

    def __init__(self, lake: Lake, models: Path, threads: int) -> None:
        self._lake, self._models, self._threads = lake, models, threads
        self.computed = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of clean texts, shape (n, 768); zero where there is nothing to read.

        Raises
        ------
        ModelError
            A text is new and the language model is not as it should be.
        """
        keys = [content_hash(text) if text.strip() else "" for text in texts]
        known = self._known(set(keys) - {""})
        new = {key: text for key, text in zip(keys, texts, strict=True) if key and key not in known}
        if new:
            known |= self._compute(new)
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, key in enumerate(keys):
            if key:
                vectors[row] = np.frombuffer(known[key], dtype="<f2")
        return vectors

    def embed_new(self, texts: Iterable[str]) -> None:
        """Make sure that texts and their clauses are known."""
        wanted = {
            content_hash(said): said
            for text in texts
            for said in (text, *clauses(text))
            if said.strip()
        }
        with self._lake.reader(latest=True) as connection:
            connection.register("wanted", pa.table({"content_hash": list(wanted)}))
            new = connection.execute(
                "select content_hash from wanted anti join "
                "(select content_hash from ops.text_embeddings where embedder = ?) "
                "using (content_hash)",
                [MODEL],
            ).fetchall()
            connection.unregister("wanted")
        if new:
            self._compute({key: wanted[key] for (key,) in new})

    def _known(self, keys: set[str]) -> dict[str, bytes]:
        with self._lake.reader(latest=True) as connection:
            connection.register("wanted", pa.table({"content_hash": pa.array(sorted(keys), "str")}))
            found = connection.execute(
                "select content_hash, vector from ops.text_embeddings "
                "semi join wanted using (content_hash) where embedder = ?",
                [MODEL],
            ).fetchall()
            connection.unregister("wanted")
        return dict(found)

    def _compute(self, new: dict[str, str]) -> dict[str, bytes]:
        found = _embedder(self._models, self._threads).embed(list(new.values()))
        made = {key: vector.astype("<f2").tobytes() for key, vector in zip(new, found, strict=True)}
        rows = pa.table(
            {
                "content_hash": list(made),
                "embedder": [MODEL] * len(made),
                "vector": pa.array(list(made.values()), pa.binary()),
            }
        )
        replace_rows(
            self._lake, "text_embeddings", "content_hash", rows, f"embed {len(made)} texts",
            is_new=True,
        )  # fmt: skip
        self.computed += len(made)
        return made


def embed_texts(lake: Lake, vectors: LakeVectors, *, fresh_only: bool = False) -> int:
    """Embed every masked text that is not known yet, with its clauses.

    Returns
    -------
    int
        Texts, clauses among them, that were computed.
    """
    with lake.reader(latest=True) as connection:
        first, last = unpublished(connection)
        window = f"batch_id between {first} and {last}" if fresh_only else "true"
        missing = connection.execute(
            f"""
            select content_hash, any_value(feedback_ref) as feedback_ref,
                4 * any_value(length(body)) as bytes
            from ops.masked_texts
            anti join (select content_hash from ops.text_embeddings where embedder = ?)
                using (content_hash)
            where {window} and kind <> 'empty'
            group by content_hash
            """,
            [MODEL],
        ).to_arrow_table()
    for part in slices(missing):
        with lake.reader(latest=True) as connection:
            connection.register("wanted", part)
            texts = connection.execute(
                "select body from ops.masked_texts semi join wanted using (feedback_ref)"
            ).fetchall()
            connection.unregister("wanted")
        vectors.embed_new(text for (text,) in texts)
    return vectors.computed
