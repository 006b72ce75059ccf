"""Reasons for a score in plain language, from the model's own contributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.hurdle import Scorer
from ml.matrix import feature_matrix

FLAG = "flag"
Array = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Phrase:
    """How to speak of one feature.

    Attributes
    ----------
    label : str
        Plain name, such as "orders in the last 30 days".
    template : str
        Sentence with fields in braces: ``{value}`` (of the row), ``{typical}`` (median of the
        rows given as typical), or the name of another feature of the row. Empty: built from
        label and unit.
    unit : str
        Written behind the numbers of a built sentence; the unit "flag" makes them "yes" or "no".
    decimals : int
        Decimals of this feature wherever it is written.
    missing : str
        Sentence for a row where the feature is null.
    """

    label: str
    template: str = ""
    unit: str = ""
    decimals: int = 0
    missing: str = ""


def typical_values(frame: pd.DataFrame, features: tuple[str, ...]) -> dict[str, float]:
    """Median of each feature over a frame (NaN where it is always null): what is usual."""
    table = pd.DataFrame(feature_matrix(frame, features), columns=list(features))
    return {str(name): float(value) for name, value in table.median().items()}


def explain(
    model: Scorer,
    frame: pd.DataFrame,
    catalogue: Mapping[str, Phrase],
    typical: Mapping[str, float],
    *,
    count: int = 3,
    num_threads: int = 2,
) -> pd.DataFrame:
    """Return the features that move each row's score most, strongest first, as sentences.

    Parameters
    ----------
    model : BlendModel or HurdleModel
        ``TrainedModel.model``.
    frame : DataFrame, n rows
        Holds every feature of the model, and any other that a template names.
    catalogue : mapping of feature to Phrase
        Features without a phrase are named as they are.
    typical : mapping of feature to float
        From `typical_values`.
    count : int, default 3
        Reasons per row.
    num_threads : int, default 2
        Threads of LightGBM.

    Returns
    -------
    reasons : DataFrame, n rows, index of `frame`
        ``reason_1`` to ``reason_<count>``; each ends in "(raises)" or "(lowers)". Where fewer
        features matter the rest are empty strings.

    Raises
    ------
    FeatureError
        A feature is missing or not numeric.
    KeyError
        A template names a column that the frame lacks.
    """
    shares = model.contributions(frame, num_threads)
    chosen = strongest(shares, count)
    matrix = feature_matrix(frame, model.features)
    columns: list[Words] = [np.full(len(frame), "", dtype=object) for _ in range(count)]
    for position, name in enumerate(model.features):
        rows, ranks = np.nonzero(chosen == position)
        if not len(rows):
            continue
        phrase = catalogue.get(name, Phrase(label=name.replace("_", " ")))
        words = _sentences(phrase, name, matrix[rows, position], frame, rows, catalogue, typical)
        effect = np.where(shares[rows, position] > 0, " (raises)", " (lowers)").astype(object)
        spoken = words + effect
        for rank in range(count):
            here = ranks == rank
            columns[rank][rows[here]] = spoken[here]
    return pd.DataFrame(
        {f"reason_{rank + 1}": column for rank, column in enumerate(columns)}, index=frame.index
    )


def as_lists(reasons: pd.DataFrame) -> list[list[str]]:
    """The reasons of each row of `explain` as a list, without the empty ones."""
    return [[reason for reason in row if reason] for row in reasons.to_numpy().tolist()]


def strongest(shares: Array, count: int) -> npt.NDArray[np.int64]:
    """Positions of the largest absolute contributions, descending; -1 where they are zero.

    Parameters
    ----------
    shares : float array, shape (n, k)

    Returns
    -------
    positions : int array, shape (n, count)
    """
    size = np.abs(shares)
    k = min(count, size.shape[1])
    order = np.argsort(-size, axis=1, kind="stable")[:, :k]
    positions = np.where(np.take_along_axis(size, order, axis=1) > 1e-12, order, -1)
    padding = np.full((len(size), count - k), -1)
    return np.hstack([positions, padding]).astype(np.int64)


def _sentences(
    phrase: Phrase,
    name: str,
    values: Array,
    frame: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    catalogue: Mapping[str, Phrase],
    typical: Mapping[str, float],
) -> Words:
    usual = typical.get(name, float("nan"))
    is_flag = phrase.unit == FLAG
    unit = f" {phrase.unit}" if phrase.unit and not is_flag else ""
    built = f"{phrase.label}: {{value}}{unit}"
    if np.isfinite(usual) and not is_flag:
        built += " (typical {typical})"
    template = phrase.template or built
    fields: dict[str, Words] = {}
    usable = ~np.isnan(values)
    for field in {part for _, part, _, _ in Formatter().parse(template) if part}:
        if field == "value":
            numbers, decimals = values, phrase.decimals
        elif field == "typical":
            numbers, decimals = np.full(len(rows), usual), phrase.decimals
        else:
            if field not in frame.columns:
                raise KeyError(f"phrase of {name!r} names {field!r}, which the frame lacks")
            numbers = feature_matrix(frame, (field,))[rows, 0]
            decimals = catalogue[field].decimals if field in catalogue else 0
        usable &= ~np.isnan(numbers)
        speak_yes_or_no = is_flag and field == "value"
        fields[field] = _yes_or_no(numbers) if speak_yes_or_no else _numbers(numbers, decimals)
    words = np.full(len(rows), "", dtype=object)
    for part, name_or_none, _, _ in Formatter().parse(template):
        words = words + part
        if name_or_none:
            words = words + fields[name_or_none]
    # A template may lack one of its numbers for a row; then the plain sentence must do.
    shown = _yes_or_no(values) if is_flag else _numbers(values, phrase.decimals)
    plain = f"{phrase.label}: " + shown + unit
    unknown = phrase.missing or f"{phrase.label}: not known"
    return np.where(usable, words, np.where(np.isnan(values), unknown, plain))


def _yes_or_no(values: Array) -> Words:
    return np.where(values > 0, "yes", "no").astype(object)


def _numbers(values: Array, decimals: int) -> Words:
    """Format each distinct number once: customers share most of theirs."""
    rounded = np.round(np.where(np.isnan(values), 0.0, values), decimals) + 0.0
    distinct, position = np.unique(rounded, return_inverse=True)
    texts = np.array([f"{number:,.{decimals}f}" for number in distinct], dtype=object)
    return np.asarray(texts[position])
