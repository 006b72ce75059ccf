"""Topics and aspects that people define, matched by likeness of meaning.

A taxonomy is YAML: a name, then phrases that say what it is about::

    delivery: [the parcel came late, shipping was fast, courier]
    price: [too expensive, good value for money, discount]

An aspect's mood is that of the sentences about it, not of the whole text: ``great lamp but the
delivery was awful`` is good for quality and bad for delivery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from ml.text_embeddings import Embeds, Vectors, meaning
from ml.text_sentiment import NEGATIVE, POSITIVE, Judge

LIKE = 0.35
"""Least similarity of a text to a phrase for it to be about that."""
_CLAUSE = re.compile(r"(?<=[.!?…;])\s+|\n+|,?\s+(?=(?:but|however|although|though|yet)\b)", re.I)
MOST_CLAUSES = 12


class TaxonomyError(ValueError):
    """A taxonomy that cannot be read; says where and what to do."""


@dataclass(frozen=True)
class Taxonomy:
    """Names with the embeddings of their phrases.

    Attributes
    ----------
    names : tuple of str
    owner : tuple of int
        Position of the name of each phrase.
    vectors : float32 array, shape (phrases, 768)
    """

    names: tuple[str, ...]
    owner: tuple[int, ...]
    vectors: Vectors

    @classmethod
    def of(cls, phrases: Mapping[str, Sequence[str]], embedder: Embeds) -> Taxonomy:
        """Embed the phrases of each name."""
        names = tuple(phrases)
        listed = [(i, phrase) for i, name in enumerate(names) for phrase in phrases[name]]
        vectors = embedder.embed([phrase for _, phrase in listed])
        return cls(names, tuple(i for i, _ in listed), vectors)

    def likeness(self, vectors: Vectors) -> pd.DataFrame:
        """Similarity of each text to the nearest phrase of each name, -1 to 1."""
        every = meaning(vectors) @ meaning(self.vectors).T
        owner = np.array(self.owner)
        return pd.DataFrame(
            {name: every[:, owner == i].max(axis=1) for i, name in enumerate(self.names)}
        )

    def match(self, vectors: Vectors, least: float = LIKE) -> list[str | None]:
        """The name nearest to each text; None where none is near."""
        table = self.likeness(vectors)
        best = table.to_numpy().argmax(axis=1)
        near = table.to_numpy().max(axis=1) >= least
        return [self.names[i] if is_near else None for i, is_near in zip(best, near, strict=True)]


def read_taxonomy(source: str, where: str = "taxonomy") -> dict[str, list[str]]:
    """Read a taxonomy.

    Raises
    ------
    TaxonomyError
        It is no YAML or not of the form.
    """
    import yaml

    try:
        found: Any = yaml.safe_load(source) or {}
    except yaml.YAMLError as error:
        raise TaxonomyError(f"{where}: no valid YAML: {error}") from None
    if not isinstance(found, dict):
        raise TaxonomyError(f"{where}: write names with phrases, such as `price: [too expensive]`")
    for name, phrases in found.items():
        if (
            not isinstance(phrases, list)
            or not phrases
            or not all(isinstance(p, str) for p in phrases)
        ):
            raise TaxonomyError(
                f"{where}: {name}: write a list of phrases, such as [too expensive]"
            )
    return {str(name): list(phrases) for name, phrases in found.items()}


@cache
def aspect_phrases() -> dict[str, list[str]]:
    """The aspects that come with the code: price, delivery, quality, service, app."""
    source = files("ml").joinpath("text_aspects.yml").read_text(encoding="utf-8")
    return read_taxonomy(source, "ml/text_aspects.yml")


def clauses(text: str) -> list[str]:
    """Sentences of a text, cut at contrasts too; at most `MOST_CLAUSES`."""
    return [part.strip() for part in _CLAUSE.split(text) if part.strip()][:MOST_CLAUSES]


def aspect_moods(
    texts: Sequence[str], aspects: Taxonomy, judge: Judge, embedder: Embeds, least: float = LIKE
) -> pd.DataFrame:
    """The mood of each aspect that a text speaks of.

    Parameters
    ----------
    texts : sequence of str, n texts
    aspects : Taxonomy
    judge : Judge
    embedder : Embeds
    least : float
        Similarity from which on a sentence is about an aspect.

    Returns
    -------
    DataFrame
        One row per text and aspect: ``row``, ``aspect``, ``score`` (mean over its sentences),
        ``clause`` (the one most about it).
    """
    parts = [(row, part) for row, text in enumerate(texts) for part in clauses(text)]
    columns = ["row", "aspect", "score", "clause"]
    if not parts:
        return pd.DataFrame(columns=columns)
    said = [part for _, part in parts]
    vectors = embedder.embed(said)
    found = judge.probabilities(said, vectors)
    likeness = aspects.likeness(vectors).to_numpy()
    best = likeness.argmax(axis=1)
    table = pd.DataFrame(
        {
            "row": [row for row, _ in parts],
            "aspect": np.array(aspects.names, dtype=object)[best],
            "score": found[:, POSITIVE] - found[:, NEGATIVE],
            "clause": said,
            "likeness": likeness.max(axis=1),
        }
    )
    table = table[table["likeness"] >= least].sort_values(
        "likeness", ascending=False, kind="stable"
    )
    grouped = table.groupby(["row", "aspect"], sort=True)
    return grouped.agg(score=("score", "mean"), clause=("clause", "first")).reset_index()[columns]
