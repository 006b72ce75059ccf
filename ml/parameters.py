"""What is free in how a model is fitted: one object, kept in the record of every model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ml.task import Question

LEAF_ROWS = (10, 200)
LEAF_L2 = (1.0, 50.0)


@dataclass(frozen=True)
class Parameters:
    """Hyper-parameters of the blend of trees and linear model.

    The defaults are settings for small, noisy customer data: small trees, large leaves and strong
    shrinkage of leaves. On rolling origins, 7 leaves with half the rows and 30 % of the features
    per tree against 15 leaves with lighter regularisation: +.013 and +.009 AUC on Online Retail,
    +.003 and no gain on Complete Journey.

    Attributes
    ----------
    learning_rate : float
        Shrinkage of each tree.
    num_leaves : int
        Most leaves of a tree.
    leaf_share : float
        Fewest rows of a leaf, as a share of the rows, within `LEAF_ROWS`.
    l2_per_row : float
        L2 penalty of a leaf's value per row, within `LEAF_L2` (LightGBM's ``lambda_l2``).
    feature_fraction, bagging_fraction : float
        Features and rows drawn for each tree.
    tweedie_power : float
        Variance power of the trees of a value, between 1 (Poisson) and 2 (gamma).
    tree_share : float
        Weight of the trees against the linear model. On 17 rolling origins a fixed share was as
        good as, or better than, one chosen on the validation date.
    is_monotone : bool
        Whether trees and linear model keep to the directions that a task knows.
    """

    learning_rate: float = 0.08
    num_leaves: int = 7
    leaf_share: float = 0.01
    l2_per_row: float = 0.0025
    feature_fraction: float = 0.3
    bagging_fraction: float = 0.5
    tweedie_power: float = 1.3
    tree_share: float = 0.75
    is_monotone: bool = False

    def min_data_in_leaf(self, rows: int) -> int:
        """Fewest rows of a leaf of a tree that learns from some rows."""
        share = math.floor(round(rows * self.leaf_share, 6))
        return min(max(share, LEAF_ROWS[0]), LEAF_ROWS[1])

    def lambda_l2(self, rows: int) -> float:
        """L2 penalty of a leaf of a tree that learns from some rows."""
        return min(max(round(rows * self.l2_per_row, 6), LEAF_L2[0]), LEAF_L2[1])

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: dict[str, Any] | None) -> Parameters:
        """Rebuild what `to_dict` returned; None, of models before there was one, is the default.

        Raises
        ------
        ValueError
            The record has parameters that this code does not know.
        """
        record = record or {}
        unknown = sorted(set(record) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(
                f"parameters that this version of the code does not know: {', '.join(unknown)}; "
                "use the code that wrote them"
            )
        return cls(**record)


DEFAULTS = Parameters()


def default_parameters(task: Question) -> Parameters:
    """The defaults, held to the directions of a task where that is its own default."""
    return replace(DEFAULTS, is_monotone=task.keeps_directions)


@dataclass(frozen=True)
class Learner:
    """Parameters with what a run adds to them.

    Attributes
    ----------
    parameters : Parameters
    seed, num_threads : int
        Seed of everything random; threads of LightGBM.
    signs : tuple of int, one per feature, or empty
        1 where a prediction never falls with the feature, -1 where it never rises, else 0.
    """

    parameters: Parameters
    seed: int
    num_threads: int
    signs: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        parameters: Parameters,
        features: Sequence[str],
        directions: Mapping[str, int],
        seed: int,
        num_threads: int,
    ) -> Learner:
        """Return a learner that keeps to the directions known of its features, if it has to."""
        signs = tuple(directions.get(name, 0) for name in features)
        return cls(
            parameters, seed, num_threads, signs if parameters.is_monotone and any(signs) else ()
        )
