"""What a task is: the question that a model answers, and everything that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ml.blend import Link

Outcome = Literal["no purchase", "purchase", "spend", "no activity"]
Rhythm = Literal["churn", "inactivity"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a model answers, whoever or whatever it is asked about.

    Attributes
    ----------
    name : str
        Of its models, its labels and its asset; an identifier.
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
    keeps_directions : bool
        Whether its models are held to them unless told otherwise: only where that was measured to
        cost no accuracy (docs/adr/0013).
    """

    name: str
    description: str
    title: str
    meaning: str
    positive: str = ""
    directions: Mapping[str, Literal[1, -1]] = field(default_factory=dict)
    keeps_directions: bool = False

    @property
    def link(self) -> Link:
        """The scale of the model: "logit" of a probability, "log" of a value."""
        return "logit"

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


@dataclass(frozen=True, kw_only=True)
class Task(Question):
    """One question about a customer's next days.

    Attributes
    ----------
    outcome : {"no purchase", "purchase", "spend", "no activity"}
        What the label counts within the horizon: 1 or 0, or a sum of money.
    horizon : {"churn", "purchase", "inactivity"} or int
        Which of the horizons that the history's rhythm gives the labels look ahead, or how many
        days.
    population : {"buyers", "active"}
        Who is asked about: who bought, or who bought or did anything, within twice the horizon
        named by `population_horizon`.
    baseline_columns : tuple of str
        Features of the simplest baseline: recency in days for a probability (the newest counts),
        recent spend for a value.
    score_column : str
        Where the prediction stands in the score tables.
    population_horizon : {"churn", "inactivity"}
        How long ago a customer may have been active last, see `population`.
    same_as : str
        Task that asks the same of the same customers where its horizon has the same length. Its
        model answers this one too then, and none is trained.
    """

    outcome: Outcome
    horizon: Rhythm | Literal["purchase"] | int
    population: Literal["buyers", "active"]
    baseline_columns: tuple[str, ...]
    score_column: str
    population_horizon: Rhythm = "churn"
    same_as: str = ""

    @property
    def active_by(self) -> tuple[str, ...]:
        """Features in days: one of them below the population's days makes a member."""
        bought = "days_since_last_order"
        return (bought,) if self.population == "buyers" else (bought, "days_since_last_event")

    @property
    def link(self) -> Link:
        """The scale of the model: "logit" of a probability, "log" of a value."""
        return "log" if self.outcome == "spend" else "logit"
