"""What a family hands back for one setting."""

from __future__ import annotations

from dataclasses import dataclass

from ml.segment_assigners import Assigner


@dataclass(frozen=True)
class Fitted:
    """A solution of a family.

    Attributes
    ----------
    setting : float
        The k, or how dense a group has to be.
    assigner : Assigner
        Places any point, those that were noise while fitting included.
    noise : float
        Share of the fitted points that belonged to no group.
    """

    setting: float
    assigner: Assigner
    noise: float = 0.0
