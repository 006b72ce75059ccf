"""A task with several rows of a customer: each message, each session, each category."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ml.task import Question

if TYPE_CHECKING:
    import pandas as pd

Labeller = Callable[["pd.DataFrame", "pd.Timestamp"], tuple["pd.DataFrame", int]]
"""From rows with features, and the instant up to which all is recorded, to a labelled frame and its
horizon in days; raises `ml.splits.NotEnoughHistory`."""


@dataclass(frozen=True, kw_only=True)
class EventTask(Question):
    """One question about each of many events (or categories); a customer has several of a date.

    Attributes
    ----------
    label : callable
        How past rows become a labelled frame, see `Labeller`.
    baselines : mapping of str to str
        By name the one feature of each simple baseline, the simplest first.
    groups : callable
        From rows with features to one column per dimension that the model is judged by.
    """

    label: Labeller
    baselines: Mapping[str, str]
    groups: Callable[[pd.DataFrame], pd.DataFrame]

    @property
    def simplest(self) -> str:
        """The baseline that a model must not be clearly worse than."""
        return next(iter(self.baselines))
