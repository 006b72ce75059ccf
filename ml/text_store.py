"""Text models as files of plain numbers and words: nothing is unpickled when they are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ml.text_intents import IntentModel
from ml.text_minilm import MODEL
from ml.text_sentiment import KernelView, SentimentModel, Standard, WordView
from ml.text_topics import Topics
from ml.text_words import Block, WordFeatures

TextModel = SentimentModel | IntentModel | Topics
Reader = Callable[[dict[str, Any], dict[str, Any]], TextModel]
_SCALES = ("tone", "meaning", "lexicon")


class StoreError(ValueError):
    """A kept model that cannot be read; says where and what to do."""


def save(model: TextModel, path: Path) -> None:
    """Write a model to one ``.npz`` file."""
    kind, words, arrays = _parts(model)
    record = {"kind": kind, "embedding": MODEL, **words}
    text = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez_compressed(file, record=text, **arrays)


def load(path: Path) -> TextModel:
    """Read a model.

    Raises
    ------
    StoreError
        It was learnt on other embeddings, or is of a kind that this code does not know.
    """
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files}
    record = json.loads(arrays.pop("record").tobytes())
    if record["embedding"] != MODEL:
        raise StoreError(
            f"{path} was learnt on embeddings {record['embedding']}, not {MODEL}; train it again"
        )
    readers: dict[str, Reader] = {"sentiment": _sentiment, "intents": _intents, "topics": _topics}
    if record["kind"] not in readers:
        raise StoreError(f"{path} holds a model of kind {record['kind']!r}, which is not known")
    return readers[record["kind"]](record, arrays)


def _parts(model: TextModel) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if isinstance(model, SentimentModel):
        scales = {
            f"{name}_scale": np.stack([scale.mean, scale.spread])
            for name in _SCALES
            for scale in [getattr(model.kernel, name)]
        }
        blocks, idf = _blocks(model.words.features)
        arrays = {
            "coefficients": model.words.coefficients, "intercepts": model.words.intercepts,
            "landmarks": model.kernel.landmarks.astype(np.float32), "weights": model.kernel.weights,
            "kernel_intercepts": model.kernel.intercepts,
        }  # fmt: skip
        words = {"blocks": blocks, "gamma": model.kernel.gamma, "temperature": model.temperature}
        return "sentiment", words, {**arrays, **scales, **idf}
    if isinstance(model, IntentModel):
        blocks, idf = _blocks(model.words) if model.words else ([], {})
        arrays = {"coefficients": model.coefficients, "intercepts": model.intercepts}
        words = {"intents": model.intents, "blocks": blocks, "has_words": model.words is not None}
        return "intents", words, {**arrays, **idf}
    words = {
        "ids": model.ids, "names": model.names, "words": model.words, "reach": model.reach,
        "next_id": model.next_id,
    }  # fmt: skip
    return "topics", words, {"centres": model.centres, "mean": model.mean, "axes": model.axes}


def _blocks(features: WordFeatures) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    listed = [
        {"analyzer": block.analyzer, "ngrams": block.ngrams, "terms": block.terms}
        for block in features.blocks
    ]
    return listed, {f"idf_{i}": block.idf for i, block in enumerate(features.blocks)}


def _features(record: dict[str, Any], arrays: dict[str, Any]) -> WordFeatures:
    return WordFeatures(
        [
            Block(
                block["analyzer"], tuple(block["ngrams"]), tuple(block["terms"]), arrays[f"idf_{i}"]
            )
            for i, block in enumerate(record["blocks"])
        ]
    )


def _sentiment(record: dict[str, Any], arrays: dict[str, Any]) -> SentimentModel:
    scales = {name: Standard(*arrays[f"{name}_scale"]) for name in _SCALES}
    words = WordView(
        _features(record, arrays), scales["lexicon"], arrays["coefficients"], arrays["intercepts"]
    )
    kernel = KernelView(
        **scales,
        landmarks=arrays["landmarks"].astype(float),
        weights=arrays["weights"],
        intercepts=arrays["kernel_intercepts"],
        gamma=record["gamma"],
    )
    return SentimentModel(words, kernel, record["temperature"])


def _intents(record: dict[str, Any], arrays: dict[str, Any]) -> IntentModel:
    words = _features(record, arrays) if record["has_words"] else None
    return IntentModel(
        tuple(record["intents"]), arrays["coefficients"], arrays["intercepts"], words
    )


def _topics(record: dict[str, Any], arrays: dict[str, Any]) -> Topics:
    return Topics(
        tuple(record["ids"]), tuple(record["names"]), tuple(map(tuple, record["words"])),
        arrays["centres"], arrays["mean"], arrays["axes"], record["reach"], record["next_id"],
    )  # fmt: skip
