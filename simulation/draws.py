"""Random numbers that depend on a key alone, never on the order in which they are asked for.

Every draw is a hash of (key, stream name). A person's numbers are therefore the same
whichever chunk the person is simulated in. The mixer is the finaliser of splitmix64
(Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014).
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.void]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LARGE_MEAN = 60.0
_LARGEST_COUNT = 200


def mixed(values: Keys) -> Keys:
    """Scramble 64-bit values one to one (any shape, same shape back)."""
    with np.errstate(over="ignore"):
        scrambled = values + _GOLDEN
        scrambled = (scrambled ^ (scrambled >> np.uint64(30))) * _FIRST
        scrambled = (scrambled ^ (scrambled >> np.uint64(27))) * _SECOND
        result: Keys = scrambled ^ (scrambled >> np.uint64(31))
    return result


@cache
def stream(name: str) -> np.uint64:
    """A fixed 64-bit number for a stream name."""
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little"))


def child_keys(keys: ArrayLike, name: str, index: ArrayLike = 0) -> Keys:
    """Keys of the `index`-th things called `name` that belong to `keys` (broadcast shapes)."""
    parents = np.asarray(keys, dtype=np.uint64)
    numbers = np.asarray(index).astype(np.uint64)
    with np.errstate(over="ignore"):
        return mixed(mixed(parents ^ stream(name)) + mixed(numbers))


def uniform(keys: Keys, name: str) -> Floats:
    """Numbers in the open interval (0, 1), one per key."""
    bits = mixed(keys ^ stream(name)) >> np.uint64(11)
    result: Floats = (bits.astype(np.float64) + 0.5) * 2.0**-53
    return result


def normal(keys: Keys, name: str) -> Floats:
    """Standard normal numbers, one per key (Box and Muller)."""
    radius = np.sqrt(-2.0 * np.log(uniform(keys, name + "/radius")))
    result: Floats = radius * np.cos(2.0 * np.pi * uniform(keys, name + "/angle"))
    return result


def happens(keys: Keys, name: str, chance: ArrayLike) -> Flags:
    """True with probability `chance` (scalar or one per key)."""
    result: Flags = uniform(keys, name) < np.asarray(chance)
    return result


def below(keys: Keys, name: str, count: ArrayLike) -> Ints:
    """Whole numbers from 0 to `count` - 1, one per key."""
    result: Ints = (uniform(keys, name) * np.asarray(count)).astype(np.int64)
    return result


def between(keys: Keys, name: str, low: ArrayLike, high: ArrayLike) -> Floats:
    """Numbers spread evenly from `low` to `high`, one per key."""
    result: Floats = np.asarray(low) + uniform(keys, name) * (np.asarray(high) - np.asarray(low))
    return result


def pick(keys: Keys, name: str, weights: ArrayLike) -> Ints:
    """Choose an option by weight: `weights` has shape (options,) or (keys, options)."""
    shares = np.asarray(weights, dtype=np.float64)
    steps = np.cumsum(shares, axis=-1)
    steps = steps / steps[..., -1:]
    drawn = uniform(keys, name)
    if steps.ndim == 1:
        return np.searchsorted(steps, drawn, side="right").clip(0, len(steps) - 1)
    result: Ints = (drawn[:, None] >= steps[:, :-1]).sum(axis=1)
    return result


def poisson(keys: Keys, name: str, rate: ArrayLike) -> Ints:
    """Poisson counts with mean `rate` (broadcast to the keys), by inverting the distribution.

    Means above 60 use the normal approximation.
    """
    rates = np.broadcast_to(np.asarray(rate, dtype=np.float64), keys.shape).ravel()
    counts = np.zeros(rates.shape, dtype=np.int64)
    large = np.flatnonzero(rates > _LARGE_MEAN)
    spread = np.sqrt(rates[large]) * normal(keys.ravel()[large], name)
    counts[large] = np.maximum(np.round(rates[large] + spread), 0)
    waiting = np.flatnonzero((rates > 0) & (rates <= _LARGE_MEAN))
    drawn = uniform(keys.ravel()[waiting], name)
    mean = rates[waiting]
    chance = np.exp(-mean)
    reached = chance.copy()
    for count in range(1, _LARGEST_COUNT):
        more = drawn > reached
        if not more.any():
            break
        waiting, drawn, mean = waiting[more], drawn[more], mean[more]
        chance = chance[more] * mean / count
        reached = reached[more] + chance
        counts[waiting] = count
    return counts.reshape(keys.shape)


def repeated(counts: Ints) -> tuple[Ints, Ints]:
    """Row numbers repeated `counts` times, and the position of each repeat in its row."""
    rows = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) - np.repeat(first, counts)


def empty_rows(count: int, dtype: np.dtype[Any], **columns: ArrayLike) -> Rows:
    """A structured array of `count` rows; columns not named are zero."""
    rows: Rows = np.zeros(count, dtype=dtype)
    for name, values in columns.items():
        rows[name] = values
    return rows
