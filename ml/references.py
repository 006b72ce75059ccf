"""A model's figures against those that others report for the same customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ml.resampling import goodness
from ml.words import measure_words

Standing = Literal["better", "worse", "within the interval"]


@dataclass(frozen=True)
class AgainstReference:
    """One figure of a model against the best reference.

    Attributes
    ----------
    metric : str
    value, low, high : float
        The model's figure with its interval.
    best : float
        The best reference's figure; it has no interval, and its rows are not known, so the two
        cannot be compared customer by customer.
    model : str
        Which reference that is.
    """

    metric: str
    value: float
    low: float
    high: float
    best: float
    model: str

    @property
    def standing(self) -> Standing:
        """Where the model stands: beyond the reference only if the whole interval is."""
        if self.low <= self.best <= self.high:
            return "within the interval"
        ours, theirs = goodness(self.metric, np.array([self.value, self.best]))
        return "better" if ours > theirs else "worse"

    def __str__(self) -> str:
        """Say it in one sentence."""
        ours, theirs = goodness(self.metric, np.array([self.value, self.best]))
        shown = ",.1f" if abs(self.value) >= 10 else ".3f"
        gap = f"{abs(ours - theirs):{shown}}"
        verdict: str = self.standing
        if verdict == "within the interval":
            verdict += f", {gap} {'better' if ours >= theirs else 'worse'}"
        return (
            f"{measure_words(self.metric)} {self.value:{shown}} ({self.low:{shown}} to "
            f"{self.high:{shown}}): {verdict} than the best reference, {self.best:{shown}} "
            f"({self.model})."
        )


def against_best(
    figures: pd.DataFrame, rows: Mapping[str, Mapping[str, float]]
) -> tuple[AgainstReference, ...]:
    """Hold each figure of a model against the best reference that has one.

    Parameters
    ----------
    figures : DataFrame
        Of one model: ``metric``, ``value``, ``low``, ``high``.
    rows : mapping of model to mapping of metric to float
        The references.

    Returns
    -------
    found : tuple of AgainstReference
        In the order of the figures; metrics that no reference has are left out.
    """
    found = []
    columns = (figures[name].astype(float) for name in ("value", "low", "high"))
    for metric, value, low, high in zip(figures["metric"].astype(str), *columns, strict=True):
        known = {model: row[metric] for model, row in rows.items() if metric in row}
        if known and np.isfinite(value):
            best = max(known, key=lambda model: goodness(metric, np.array(known[model])))
            found.append(AgainstReference(metric, value, low, high, known[best], best))
    return tuple(found)
