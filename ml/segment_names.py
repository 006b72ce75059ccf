"""Plain names of segments, from what sets each apart from all customers.

A name is built by rule from the effects of `ml.segment_profile.effects`: how recently and how
often they buy, how much they spend, and the strongest other trait where one is strong: "lapsing
big spenders", "loyal big spenders who buy in stores". Where two segments would share a name each
gets more of its own traits, at last its rank in what differs most.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ml.segment_profile import Effects

Array = npt.NDArray[np.float64]
FAR = 0.5
"""Standard deviations beyond which a segment counts as high or low in recency, orders or spend."""
STRONG = 0.75
"""Standard deviations beyond which another trait belongs in the name."""
ROLES = {
    "basket": ("with large orders", "with small orders"),
    "breadth": ("who fill their basket", "who buy few items at a time"),
    "variety": ("who always try new products", "who buy the same products again"),
    "discount": ("who wait for discounts", "who pay full price"),
    "discounted": ("who often use discounts", "who seldom use discounts"),
    "price": ("who buy dear products", "who buy cheap products"),
    "store": ("who buy in stores", "who buy online"),
    "app": ("who use the app", "who do not use the app"),
    "browsing": ("who browse a lot", "who come only to buy"),
    "reading": ("who open messages", "who ignore messages"),
    "returning": ("who return a lot", "who keep what they buy"),
    "sentiment": ("who are pleased", "who are displeased"),
    "weekend": ("who buy at weekends", "who buy on weekdays"),
    "evening": ("who buy in the evening", "who buy by day"),
}
"""What a high and a low value of each other role is called."""


def name_segments(effects: Effects) -> tuple[str, ...]:
    """Name segments so that all names differ.

    Parameters
    ----------
    effects : Effects
        Of k segments, in the order of the ids.

    Returns
    -------
    names : tuple of str, length k
    """
    stems = [_stem(effects, row) for row in effects.values]
    others = [_others(effects, row) for row in effects.values]
    phrases = [[text for size, text in found if size >= STRONG] for found in others]
    used = [min(1, len(found)) for found in phrases]
    names = [_join(stem, found[:n]) for stem, found, n in zip(stems, phrases, used, strict=True)]
    for _ in range(max(map(len, phrases), default=0)):
        for i in _shared(names):
            used[i] = min(used[i] + 1, len(phrases[i]))
        names = [
            _join(stem, found[:n]) for stem, found, n in zip(stems, phrases, used, strict=True)
        ]
    for name in sorted({names[i] for i in _shared(names)}):
        same = [i for i, other in enumerate(names) if other == name]
        for i, extra in zip(same, _ranks(effects, same), strict=True):
            names[i] = f"{name}, {extra}"
    return tuple(names)


def _stem(effects: Effects, row: Array) -> str:
    """Describe recency, frequency and spend; without them nothing."""
    known = {role: row[i] for i, role in enumerate(effects.roles) if role}
    if not {"recency", "frequency", "value"} & known.keys():
        return ""
    recency, frequency, value = (
        float(known.get(role, 0.0)) for role in ("recency", "frequency", "value")
    )
    if recency > FAR:
        when = "lapsed" if recency > 2 * FAR or frequency < -FAR else "lapsing"
    elif recency < -FAR:
        when = "loyal" if frequency > FAR else "new" if frequency < -FAR else "recent"
    else:
        when = "regular" if frequency > FAR else "rare" if frequency < -FAR else ""
    plain = "buyers" if when else "typical customers"
    spend = "big spenders" if value > FAR else "small spenders" if value < -FAR else plain
    return f"{when} {spend}".strip()


def _others(effects: Effects, row: Array) -> list[tuple[float, str]]:
    """Size and words of the other traits, strongest first."""
    found = []
    for effect, role, label in zip(row, effects.roles, effects.labels, strict=True):
        if role in ("recency", "frequency", "value"):
            continue
        words = ROLES.get(role or "", (f"high {label}", f"low {label}"))
        found.append((abs(float(effect)), words[0] if effect > 0 else words[1]))
    return sorted(found, key=lambda trait: (-trait[0], trait[1]))


def _join(stem: str, phrases: list[str]) -> str:
    if not phrases:
        return stem or "close to the average"
    if not stem:
        return " and ".join(phrases)
    return f"{stem} {' and '.join(phrases)}"


def _shared(names: list[str]) -> list[int]:
    return [i for i, name in enumerate(names) if names.count(name) > 1]


def _ranks(effects: Effects, same: list[int]) -> list[str]:
    """Rank of segments of one name in the feature that differs most between them."""
    rows = effects.values[same]
    axis = int(np.argmax(np.ptp(rows, axis=0)))
    role = effects.roles[axis] or ""
    label = effects.labels[axis]
    low, high = {
        "recency": ("bought most recently", "bought longest ago"),
        "frequency": ("fewest orders", "most orders"),
        "value": ("least spend", "most spend"),
    }.get(role, (f"lowest {label}", f"highest {label}"))
    order = np.argsort(rows[:, axis], kind="stable")
    extra = [""] * len(order)
    for rank, i in enumerate(order):
        middle = f"middle {rank}" if len(order) > 3 else "middle"
        extra[i] = low if rank == 0 else high if rank == len(order) - 1 else middle
    return extra
