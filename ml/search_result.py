"""What a search for parameters may cost, and what it found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import pandas as pd

from ml.intervals import Difference
from ml.parameters import DEFAULTS, Parameters


@dataclass(frozen=True)
class Budget:
    """When a search ends: after so many trials, or with the trial that passes so many seconds."""

    trials: int
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.trials < 1 or (self.seconds is not None and self.seconds <= 0):
            raise ValueError(f"a search needs at least one trial and some time, not {self}")


@dataclass(frozen=True)
class SearchResult:
    """What a search found, and whether it is adopted.

    Attributes
    ----------
    kind : str
        Name of the task.
    horizon_days, seed : int
    choosing : tuple of str
        Inner origins (ISO) that the trials were judged at.
    confirming : str
        The newest inner origin, where the best trial met the defaults.
    cutoff : str
        The test cutoff; every label that was used was known by it.
    budget : Budget
    trials : DataFrame
        ``trial``, ``loss`` (mean over the choosing origins: log loss, of a value Tweedie
        deviance) and one column per parameter; trial 0 is the defaults.
    found : Parameters
        Of the trial with the least loss.
    gain : Difference
        Loss of the defaults less that of `found` at the confirming origin, same customers.
    """

    kind: str
    horizon_days: int
    seed: int
    choosing: tuple[str, ...]
    confirming: str
    cutoff: str
    budget: Budget
    trials: pd.DataFrame
    found: Parameters
    gain: Difference

    @property
    def is_adopted(self) -> bool:
        """Whether what was found is clearly better than the defaults."""
        return self.gain.verdict == "better"

    @property
    def parameters(self) -> Parameters:
        """What to train with: what was found if it is adopted, else the defaults."""
        return self.found if self.is_adopted else DEFAULTS

    def __str__(self) -> str:
        """Say it in one line."""
        verdict = "adopted" if self.is_adopted else "the defaults stay"
        gain = self.gain
        return (
            f"{self.kind}: {len(self.trials)} trials, {verdict}: loss lower by {gain.value:+.4f} "
            f"({gain.low:+.4f} to {gain.high:+.4f}) than with the defaults as of {self.confirming}"
        )

    def to_json(self) -> str:
        """Return everything as one JSON text."""
        record = asdict(self) | {"trials": self.trials.to_dict("list")}
        return json.dumps(record, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SearchResult:
        """Rebuild what `to_json` returned."""
        record = json.loads(text)
        return cls(
            **record
            | {
                "choosing": tuple(record["choosing"]),
                "budget": Budget(**record["budget"]),
                "trials": pd.DataFrame(record["trials"]),
                "found": Parameters.from_dict(record["found"]),
                "gain": Difference(**record["gain"]),
            }
        )
