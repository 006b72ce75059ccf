"""Removal effects of channels in a Markov chain of journeys, solved exactly.

Source: Anderl, Becker, von Wangenheim and Schumann (2016), "Mapping the customer journey: lessons
learned from graph-based online attribution modeling", IJRM 33(3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.attribution_paths import FloatArray, IntArray, Journeys, read_journeys


def markov(paths: pd.DataFrame, order: int = 1) -> pd.DataFrame:
    """Credit channels in proportion to their removal effects.

    Parameters
    ----------
    paths, order
        See `removal_effects`.

    Returns
    -------
    credits : DataFrame
        ``channel``, ``conversions``, ``value``; one row per channel, sorted by name. The columns
        sum to the totals of `paths`; without any conversion every credit is 0.

    Raises
    ------
    KeyError, ValueError
        See `removal_effects`.
    """
    journeys = read_journeys(paths)
    effects = _effects(journeys, order)
    shares = [effect / (effect.sum() or 1) for effect in effects]
    return journeys.table(journeys.conversions.sum() * shares[0], journeys.value.sum() * shares[1])


def removal_effects(paths: pd.DataFrame, order: int = 1) -> pd.DataFrame:
    """Share of conversions, and of value, that is lost when a channel is taken away.

    A journey is a walk from a start to a conversion or to null; what it does next depends on its
    last `order` touchpoints. Who would step to the removed channel goes to null instead. Repeated
    touches of a channel stay in the chain; at order 1 they change no effect. The value of a
    conversion is the mean of those that end in the same state.

    Parameters
    ----------
    paths : DataFrame
        ``path``, ``conversions``, ``value``, ``nulls``; see `ml.attribution_paths.read_journeys`.
    order : int
        Touchpoints that a state remembers, at least 1. Time grows with the cube of the number of
        states, so with channels ** (3 * order) at worst.

    Returns
    -------
    effects : DataFrame
        ``channel``, ``conversions``, ``value``: shares between 0 and 1; one row per channel,
        sorted by name. They do not sum to 1, as a journey may need several channels.

    Raises
    ------
    KeyError
        A column is missing.
    ValueError
        The order is below 1, or a path does not pass the checks of `read_journeys`.
    """
    journeys = read_journeys(paths)
    return journeys.table(*_effects(journeys, order))


@dataclass(frozen=True)
class _Chain:
    """Steps counted between states; state 0 is the start, its channel -1."""

    channel: IntArray  # (states,)
    steps: FloatArray  # (states, states)
    conversions: FloatArray  # (states,)
    value: FloatArray
    nulls: FloatArray


def _effects(journeys: Journeys, order: int) -> tuple[FloatArray, FloatArray]:
    if order < 1:
        raise ValueError(f"the order of a Markov chain must be 1 or more, not {order}")
    chain = _count(journeys, order)
    leaving = chain.steps.sum(axis=1) + chain.conversions + chain.nulls
    seen = np.where(leaving > 0, leaving, 1)
    stay = np.eye(len(leaving)) - chain.steps / seen[:, None]
    # visits[s, t]: expected visits of t by a walk that is at s.
    visits = np.linalg.inv(stay)
    effects = []
    for gained in (chain.conversions, chain.value):
        expected = visits @ (gained / seen)
        lost = np.zeros(len(journeys.channels))
        for code in range(len(lost)):
            states = np.flatnonzero(chain.channel == code)
            if len(states) and expected[0] > 0:
                # Chance that the walk enters the channel's states first at each of them.
                inside = visits[np.ix_(states, states)]
                entered = np.linalg.solve(inside.T, visits[0, states])
                lost[code] = max(entered @ expected[states] / expected[0], 0)
        effects.append(lost)
    return effects[0], effects[1]


def _count(journeys: Journeys, order: int) -> _Chain:
    # States are numbered, never named, so a channel may be called "(start)" or "(null)".
    numbers: dict[tuple[int, ...], int] = {(): 0}
    steps: dict[tuple[int, int], float] = {}
    ends: dict[int, list[int]] = {}
    starts = np.cumsum(journeys.length) - journeys.length
    weight = journeys.conversions + journeys.nulls
    for row in np.flatnonzero(weight > 0).tolist():
        codes = journeys.code[starts[row] : starts[row] + journeys.length[row]].tolist()
        state: tuple[int, ...] = ()
        for code in codes:
            following = (*state, code)[-order:]
            step = (numbers[state], numbers.setdefault(following, len(numbers)))
            steps[step] = steps.get(step, 0.0) + float(weight[row])
            state = following
        ends.setdefault(numbers[state], []).append(row)
    matrix = np.zeros((len(numbers), len(numbers)))
    for (before, after), count in steps.items():
        matrix[before, after] = count
    sums = np.zeros((3, len(numbers)))
    for number, rows in ends.items():
        for kind, amount in enumerate((journeys.conversions, journeys.value, journeys.nulls)):
            sums[kind, number] = amount[rows].sum()
    channel = np.array([state[-1] if state else -1 for state in numbers], dtype=np.int64)
    return _Chain(channel, matrix, *sums)
