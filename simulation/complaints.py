"""Bursts of complaints planted in the market: a product fails, and the net talks about it at once.

The posts are nobody's in particular (social posts without a customer), so what the customers do,
and what is true of them, stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.catalogue import PRODUCTS
from simulation.config import DAY, HOUR, MarketConfig
from simulation.draws import Ints, Rows, below, between, child_keys, empty_rows
from simulation.feedback import POST
from simulation.records import FEEDBACK, NO_CUSTOMER
from simulation.wording import COMPLAIN, TOPICS

_LASTS = 4 * HOUR
_TOPICS = ("quality", "delivery")


@dataclass(frozen=True)
class ComplaintBursts:
    """What is said in the bursts, and what they are about.

    `product`, `topic`, `start` and `end` have shape (bursts,); a burst's first post is its start.
    """

    posts: Rows
    product: Ints
    topic: Ints
    start: Ints
    end: Ints


def complaint_bursts(config: MarketConfig) -> ComplaintBursts:
    """Two bursts, one about broken and one about late products, in the last two fifths."""
    number = np.arange(len(_TOPICS))
    keys = child_keys(config.key, "complaints", number)
    product = below(keys, "product", PRODUCTS)
    topic = np.array([TOPICS.index(name) for name in _TOPICS])
    share = 0.62 + 0.2 * number + 0.1 * between(keys, "when", 0.0, 1.0)
    day = config.start + (share * config.days).astype(np.int64) * DAY
    start = day + (between(keys, "hour", 8.0, 18.0) * HOUR).astype(np.int64)
    size = 30 + config.customers // 500
    burst = np.repeat(number, size)
    post = child_keys(keys[burst], "post", np.tile(np.arange(size), len(number)))
    is_first = np.tile(np.arange(size), len(number)) == 0
    after = (between(post, "after", 0.0, 1.0) ** 1.5 * _LASTS).astype(np.int64)
    posts = empty_rows(
        len(post), FEEDBACK, key=post, time=start[burst] + np.where(is_first, 0, after),
        customer=NO_CUSTOMER, source=POST, product=product[burst], topic=topic[burst],
        intent=COMPLAIN, sentiment=np.round(between(post, "mood", -1.0, -0.3), 3),
    )  # fmt: skip
    last = np.array([posts["time"][burst == each].max() for each in number])
    return ComplaintBursts(posts, product, topic, start, last)
