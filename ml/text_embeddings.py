"""Embeddings of texts: vectors that lie near one another where meanings do.

Texts are cut into windows of what MiniLM reads at once, batched by length (no padding is computed
for short ones) and by a fixed number of tokens (memory does not grow with the texts). A text is
embedded once: what is known by its content hash is not computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ml.text_cleaning import content_hash
from ml.text_minilm import DIMENSIONS, MEANING, int8_model, model_folder

Vectors = npt.NDArray[np.float32]
WINDOW = 254
"""Tokens that the model reads at once, without the two marks around them."""
MOST_WINDOWS = 8
"""Windows read of a long text: its first ones and its last two."""
BATCH_TOKENS = 768
"""Tokens of a batch, padding included: what fits the caches; more was slower."""
_CHUNK = 2_048
_BEGIN, _END = 101, 102


class Embeds(Protocol):
    """What gives texts their vectors: the model, or what remembers what it said."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of clean texts, shape (n, 768)."""


class Embedder:
    """MiniLM in int8, loaded once.

    Parameters
    ----------
    models : Path
        Folder in which the int8 copy is kept; see `ml.text_minilm.int8_model`.
    threads : int
        Threads of a matrix product.

    Raises
    ------
    ModelError
        The package is missing or its weights are not the known ones.
    """

    def __init__(self, models: Path, *, threads: int = 1) -> None:
        path = int8_model(models)
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer: Any = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def embed(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Embed clean texts.

        Parameters
        ----------
        texts : sequence of str, n texts
        progress : callable, optional
            Told after each chunk how many texts are done.

        Returns
        -------
        vectors : float32 array, shape (n, 768)
            `meaning` and `tone`, each of length 1; of a long text the mean of its windows by
            tokens; zero where there is nothing to read.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for first in range(0, len(order), _CHUNK):
            rows = order[first : first + _CHUNK]
            self._embed_chunk([texts[row] for row in rows], rows, vectors)
            if progress:
                progress(min(first + _CHUNK, len(order)))
        return vectors

    def embed_new(self, texts: Sequence[str], known: Mapping[str, Vectors]) -> dict[str, Vectors]:
        """Vectors of those texts that are not known yet, by content hash, each text once."""
        new = {
            key: text
            for text in texts
            for key in [content_hash(text)]
            if key not in known and text.strip()
        }
        found = self.embed(list(new.values()))
        return dict(zip(new, found, strict=True))

    def _embed_chunk(self, texts: Sequence[str], rows: Sequence[int], vectors: Vectors) -> None:
        windows: list[tuple[list[int], int]] = []
        for row, encoding in zip(
            rows, self._tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True
        ):
            windows += [(ids, row) for ids in _windows(encoding.ids)]
        windows.sort(key=lambda window: len(window[0]))
        touched = sorted({row for _, row in windows})
        for batch in _batches(windows):
            longest = len(batch[-1][0]) + 2
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros_like(ids)
            for i, (tokens, _) in enumerate(batch):
                ids[i, : len(tokens) + 2] = [_BEGIN, *tokens, _END]
                mask[i, : len(tokens) + 2] = 1
            (found,) = self._session.run(None, {"ids": ids, "mask": mask})
            for (tokens, row), vector in zip(batch, found, strict=True):
                vectors[row] += vector * np.float32(len(tokens))
        for half in (slice(None, MEANING), slice(MEANING, None)):
            part = vectors[touched, half]
            vectors[touched, half] = part / np.linalg.norm(part, axis=1, keepdims=True)


def meaning(vectors: Vectors) -> Vectors:
    """What texts are about: unit vectors whose product is the similarity, shape (n, 384)."""
    return vectors[:, :MEANING]


def tone(vectors: Vectors) -> Vectors:
    """How texts say it: unit vectors of MiniLM's middle layers, shape (n, 384)."""
    return vectors[:, MEANING:]


def _windows(ids: list[int]) -> list[list[int]]:
    if len(ids) <= WINDOW:
        return [ids] if ids else []
    cut = [ids[first : first + WINDOW] for first in range(0, len(ids), WINDOW)]
    return cut if len(cut) <= MOST_WINDOWS else cut[: MOST_WINDOWS - 2] + cut[-2:]


def _batches(windows: Sequence[tuple[list[int], int]]) -> Iterator[list[tuple[list[int], int]]]:
    batch: list[tuple[list[int], int]] = []
    for window in windows:
        if batch and (len(batch) + 1) * (len(window[0]) + 2) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
