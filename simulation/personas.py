"""The kinds of customers in the market, and how each of them behaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.draws import Floats

CHANNELS = ("web", "app", "store", "call", "email", "push", "sms")
WEB, APP, STORE, CALL, EMAIL, PUSH, SMS = range(len(CHANNELS))

CATEGORIES = (
    "kitchen", "garden", "beauty", "toys", "sports", "books", "electronics", "fashion", "home",
    "gifts",
)  # fmt: skip
CAMPAIGN_KINDS = ("discount", "newsletter", "winback", "launch")


@dataclass(frozen=True)
class Persona:
    """How one kind of customer behaves.

    Parameters
    ----------
    share : part of the population, 0 to 1.
    purchases : orders per 30 days at average engagement.
    visits : sessions without an order per 30 days at average engagement.
    depth : mean browsing events of such a session.
    lines : mean products on an order.
    price_level : preference for dear (above 1) or cheap (below 1) products.
    discount : chance that a line is bought at a discount.
    channels : weights of web, app and store.
    tastes : weights over `CATEGORIES`.
    opens : chance to open a message at average engagement.
    hazard : weekly chance to leave at average engagement.
    fading : weekly chance to begin to lose interest.
    reviews : chance to review an order.
    logs_in : chance to log in during a session without an order.
    effects : log change of the purchase rate in the two weeks of a campaign, by campaign kind.
    """

    name: str
    share: float
    purchases: float
    visits: float
    depth: float
    lines: float
    price_level: float
    discount: float
    channels: tuple[float, float, float]
    tastes: tuple[float, ...]
    opens: float
    hazard: float
    fading: float
    reviews: float
    logs_in: float
    effects: tuple[float, float, float, float]


PERSONAS = (
    Persona(
        "devoted", 0.10, 0.80, 0.30, 3.6, 2.0, 1.2, 0.10, (0.35, 0.50, 0.15),
        (2, 1, 3, 1, 1, 2, 3, 3, 2, 1), 0.50, 0.0015, 0.006, 0.12, 0.75, (0.05, 0.20, -0.40, 0.55),
    ),
    Persona(
        "family planner", 0.18, 0.38, 0.15, 3.2, 2.8, 0.9, 0.25, (0.45, 0.35, 0.20),
        (3, 2, 1, 5, 2, 2, 1, 2, 4, 1), 0.35, 0.0025, 0.010, 0.07, 0.60, (0.40, 0.10, 0.20, 0.0),
    ),
    Persona(
        "store regular", 0.16, 0.25, 0.05, 2.4, 2.2, 1.0, 0.12, (0.15, 0.05, 0.80),
        (3, 3, 2, 1, 1, 1, 1, 1, 3, 2), 0.15, 0.0025, 0.010, 0.03, 0.40, (0.0, -0.05, 0.0, -0.25),
    ),
    Persona(
        "bargain hunter", 0.22, 0.14, 0.18, 4.0, 1.6, 0.7, 0.70, (0.60, 0.30, 0.10),
        (1, 1, 2, 1, 2, 1, 4, 4, 1, 1), 0.40, 0.0050, 0.016, 0.06, 0.45, (0.90, 0.10, 0.45, 0.0),
    ),
    Persona(
        "gift giver", 0.19, 0.055, 0.05, 3.0, 1.5, 1.3, 0.20, (0.65, 0.15, 0.20),
        (1, 1, 3, 3, 1, 3, 1, 1, 2, 6), 0.25, 0.0060, 0.016, 0.06, 0.35, (0.25, 0.0, 0.30, 0.10),
    ),
    Persona(
        "window shopper", 0.15, 0.03, 0.24, 4.4, 1.2, 1.0, 0.35, (0.50, 0.45, 0.05),
        (1, 1, 3, 1, 2, 1, 3, 5, 2, 1), 0.30, 0.0070, 0.020, 0.03, 0.30, (0.50, 0.10, 0.20, 0.05),
    ),
)  # fmt: skip


def traits(field: str) -> Floats:
    """One field of all personas, stacked: shape (personas,) or (personas, options)."""
    return np.array([getattr(persona, field) for persona in PERSONAS], dtype=np.float64)


PERSONA_NAMES = tuple(persona.name for persona in PERSONAS)
