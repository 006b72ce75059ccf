"""What a search for parameters may cost, and what it found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

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
    choosing_gain, gain : Difference
        Loss of the defaults less that of `found` on the same customers, at the choosing origins
        together and at the confirming one.
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
    choosing_gain: Difference
    gain: Difference

    @property
    def defaults(self) -> Parameters:
        """What the search began with; directions are not searched."""
        return replace(DEFAULTS, is_monotone=self.found.is_monotone)

    @property
    def is_adopted(self) -> bool:
        """Whether what was found is clearly better than the defaults, where chosen and later."""
        return self.choosing_gain.verdict == self.gain.verdict == "better"

    @property
    def parameters(self) -> Parameters:
        """What to train with: what was found if it is adopted, else the defaults."""
        return self.found if self.is_adopted else self.defaults

    def __str__(self) -> str:
        """Say it in one line."""
        if self.found == self.defaults:
            return f"{self.kind}: {len(self.trials)} trials, none better than the defaults"
        verdict = "adopted" if self.is_adopted else "the defaults stay"
        where, later = (
            f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
            for gain in (self.choosing_gain, self.gain)
        )
        return (
            f"{self.kind}: {len(self.trials)} trials, {verdict}: gain in loss over them {where} "
            f"as of {', '.join(self.choosing)}, and {later} as of {self.confirming}"
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
                "choosing_gain": Difference(**record["choosing_gain"]),
                "gain": Difference(**record["gain"]),
            }
        )
