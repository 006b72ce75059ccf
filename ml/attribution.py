"""Who earned the conversion: credit of marketing channels by rule, Markov chain and Shapley value.

Every model shares out each conversion whole: its credits sum to the conversions, and to the value.
None is causal; a channel that loyal customers pass through anyway earns credit all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from ml.attribution_markov import markov, removal_effects
from ml.attribution_paths import FloatArray, Journeys, parse_path, read_journeys
from ml.attribution_shapley import shapley

__all__ = [
    "MODELS",
    "attribute",
    "first_touch",
    "last_touch",
    "linear",
    "markov",
    "parse_path",
    "position_based",
    "removal_effects",
    "shapley",
    "time_decay",
]


def first_touch(paths: pd.DataFrame) -> pd.DataFrame:
    """Give all credit to the first touchpoint.

    Parameters
    ----------
    paths : DataFrame
        ``path``, ``conversions``, ``value``, ``nulls``; see `ml.attribution_paths.read_journeys`.

    Returns
    -------
    credits : DataFrame
        ``channel``, ``conversions``, ``value``; one row per channel, sorted by name. The columns
        sum to the totals of `paths`.

    Raises
    ------
    KeyError, ValueError
        See `ml.attribution_paths.read_journeys`.
    """
    journeys = read_journeys(paths)
    return journeys.credits((journeys.position == 0).astype(float))


def last_touch(paths: pd.DataFrame) -> pd.DataFrame:
    """Give all credit to the last touchpoint; see `first_touch`."""
    journeys = read_journeys(paths)
    return journeys.credits((_from_end(journeys) == 0).astype(float))


def linear(paths: pd.DataFrame) -> pd.DataFrame:
    """Give every touchpoint the same credit, repeats included; see `first_touch`."""
    journeys = read_journeys(paths)
    return journeys.credits(np.ones(len(journeys.row)))


def position_based(paths: pd.DataFrame, ends: float = 0.4) -> pd.DataFrame:
    """Favour the first and the last touchpoint (U shape); see `first_touch`.

    Parameters
    ----------
    paths : DataFrame
    ends : float
        Share of the first and of the last touchpoint each, at most 0.5; the touchpoints between
        them share the rest equally. Of two touchpoints each gets half, a single one everything.

    Returns
    -------
    credits : DataFrame

    Raises
    ------
    KeyError, ValueError
        See `first_touch`; or `ends` is not between 0 and 0.5.
    """
    if not 0 <= ends <= 0.5:
        raise ValueError(f"the share of each end must be between 0 and 0.5, not {ends}")
    journeys = read_journeys(paths)
    length = journeys.length[journeys.row]
    at_end = (journeys.position == 0) | (_from_end(journeys) == 0)
    between = (1 - 2 * ends) / np.maximum(length - 2, 1)
    return journeys.credits(np.where(length <= 2, 1.0, np.where(at_end, ends, between)))


def time_decay(
    paths: pd.DataFrame, half_life: float = 1.0, ages: str | None = None
) -> pd.DataFrame:
    """Halve the credit of a touchpoint with every half-life before the conversion.

    Parameters
    ----------
    paths : DataFrame
        See `first_touch`.
    half_life : float
        More than 0: in touchpoints, or in the unit of the ages. A long one comes near `linear`, a
        short one near `last_touch`.
    ages : str, optional
        Column with the age of each touchpoint at the conversion (such as days): a sequence as
        long as the path, for every path that converted. Default: count touchpoints back from
        the last.

    Returns
    -------
    credits : DataFrame
        See `first_touch`.

    Raises
    ------
    KeyError, ValueError
        See `first_touch`; or the half-life is not positive, or ages are missing, null, negative
        or more or fewer than the touchpoints.
    """
    if not half_life > 0:
        raise ValueError(f"the half-life must be more than 0, not {half_life}")
    journeys = read_journeys(paths)
    age = _from_end(journeys).astype(float) if ages is None else _ages(journeys, paths, ages)
    youngest = np.full(len(journeys.length), np.inf)
    np.minimum.at(youngest, journeys.row, age)
    return journeys.credits(np.exp2(-(age - youngest[journeys.row]) / half_life))


MODELS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "first_touch": first_touch,
    "last_touch": last_touch,
    "linear": linear,
    "time_decay": time_decay,
    "position_based": position_based,
    "markov": markov,
    "shapley": shapley,
}
"""Every model by name, with its default settings."""


def attribute(paths: pd.DataFrame, models: Sequence[str] = tuple(MODELS)) -> pd.DataFrame:
    """Credit channels by several models at once.

    Parameters
    ----------
    paths : DataFrame
        ``path``, ``conversions``, ``value``, ``nulls``; see `ml.attribution_paths.read_journeys`.
    models : sequence of str
        Names in `MODELS`.

    Returns
    -------
    credits : DataFrame
        ``model``, ``channel``, ``conversions``, ``value``; one row per model and channel.

    Raises
    ------
    KeyError, ValueError
        See `ml.attribution_paths.read_journeys`; or a model is unknown.
    """
    unknown = [name for name in models if name not in MODELS]
    if unknown:
        raise ValueError(f"no such model: {', '.join(unknown)} (have: {', '.join(MODELS)})")
    columns = ["model", "channel", "conversions", "value"]
    tables = [MODELS[name](paths).assign(model=name)[columns] for name in models]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def _from_end(journeys: Journeys) -> FloatArray:
    return (journeys.length[journeys.row] - 1 - journeys.position).astype(float)


def _ages(journeys: Journeys, paths: pd.DataFrame, column: str) -> FloatArray:
    if column not in paths.columns:
        raise KeyError(f"missing in the paths: {column}")
    flat: list[float] = []
    for row, (length, given) in enumerate(zip(journeys.length, paths[column], strict=True)):
        if journeys.conversions[row] == 0:
            flat.extend([0.0] * int(length))
            continue
        own = [float(age) for age in given] if hasattr(given, "__iter__") else []
        if len(own) != length:
            raise ValueError(f"row {row}: {len(own)} ages for {length} touchpoints in {column}")
        if not all(0 <= age < np.inf for age in own):
            raise ValueError(f"row {row}: an age in {column} is null, negative or infinite")
        flat.extend(own)
    return np.array(flat, dtype=float)
