"""What a task is: the question that a model answers, and everything that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ml.blend import Link

Outcome = Literal["no purchase", "purchase", "spend"]


@dataclass(frozen=True)
class Task:
    """One question about a customer's next days.

    Attributes
    ----------
    name : str
        Of its models, its labels and its asset; an identifier.
    outcome : {"no purchase", "purchase", "spend"}
        What the label counts within the horizon: 1 or 0, or a sum of money.
    horizon : {"churn", "purchase"}
        Which of the horizons that the history's rhythm gives the labels look ahead.
    active_by : tuple of str
        Features in days. The population is who has one of them below twice the churn horizon.
    baseline_column : str
        Feature of the simplest baseline: recency for a probability, recent spend for a value.
    score_column : str
        Where the prediction stands in the score tables.
    description : str
        What one prediction is, in a line.
    title : str
        Heading, with ``{days}`` for the horizon.
    meaning : str
        For the model card, with ``{horizon}`` and ``{population}`` in days.
    positive : str
        What customers with label 1 would do; empty for a value.
    directions : mapping of str to {1, -1}
        Features of which the business knows that the prediction never falls (1) or never rises
        (-1) with them, all else equal.
    """

    name: str
    outcome: Outcome
    horizon: Literal["churn", "purchase"]
    active_by: tuple[str, ...]
    baseline_column: str
    score_column: str
    description: str
    title: str
    meaning: str
    positive: str = ""
    directions: Mapping[str, Literal[1, -1]] = field(default_factory=dict)

    @property
    def link(self) -> Link:
        """The scale of the model: "logit" of a probability, "log" of a value."""
        return "log" if self.outcome == "spend" else "logit"

    @property
    def is_binary(self) -> bool:
        """Whether a prediction is a probability."""
        return self.link == "logit"

    @property
    def headline(self) -> str:
        """The measure that rivals are compared by, higher being better."""
        return "roc_auc" if self.is_binary else "spearman"

    @property
    def calibration(self) -> str:
        """The measure of how far predictions are from what happens."""
        return "ece" if self.is_binary else "aggregate_ratio"

    @property
    def simplest(self) -> str:
        """The baseline that a model must not be clearly worse than."""
        return "recency" if self.is_binary else "recent_spend"
