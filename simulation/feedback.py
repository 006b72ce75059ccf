"""Reviews, support tickets and chats, with the sentiment that is truly behind them."""

from __future__ import annotations

import numpy as np

from simulation.browsing import blank_events
from simulation.calendar import days_later, moments, week_starts
from simulation.catalogue import Catalogue
from simulation.config import DAY, HOUR, MINUTE, WEEK, MarketConfig
from simulation.draws import (
    Floats,
    Ints,
    Keys,
    Rows,
    below,
    child_keys,
    empty_rows,
    happens,
    normal,
    pick,
)
from simulation.engagement import Interest
from simulation.personas import CALL, traits
from simulation.persons import Persons, ref_in_use
from simulation.records import COMPLETED, FEEDBACK, SUPPORT_CONTACT, TOPIC_DETAIL
from simulation.wording import ASK, COMPLAIN, LEAVE, LEVELS, PRAISE, REPORT, TOPICS

SOURCES = ("review", "ticket", "chat", "post")
REVIEW, TICKET, CHAT, POST = range(len(SOURCES))

_REVIEW_TOPICS = (0.50, 0.18, 0.17, 0.07, 0.08)
_TICKET_TOPICS = (0.22, 0.33, 0.08, 0.12, 0.25)
_CALLS, _WRITES, _CHATS = 0.70, 0.60, 0.02


def level_of(sentiment: Floats) -> Ints:
    """The step of wording for a sentiment of -1 to 1; below 0 is never worded as good."""
    return np.searchsorted(np.array([-0.6, -0.15, 0.15, 0.6]), sentiment)


def _written(
    key: Keys, source: int, time: Ints, customer: Ints, product: Ints, topic: Ints, feeling: Floats
) -> Rows:
    return empty_rows(
        len(key), FEEDBACK, key=key, time=time, customer=customer, source=source,
        product=product, topic=topic, sentiment=np.round(feeling.clip(-1, 1), 3),
    )  # fmt: skip


def write_reviews(
    config: MarketConfig,
    orders: Rows,
    lines: Rows,
    persons: Persons,
    interest: Interest,
    catalogue: Catalogue,
) -> Rows:
    """Reviews of the first product of an order, 3 to 20 days after it."""
    first = lines[lines["number"] == 1]
    order = orders[first["order"]]
    person = order["person"]
    key = child_keys(order["key"], "review")
    posted = days_later(key, "posted", order["time"], 3, 20)
    writes = happens(key, "writes", traits("reviews")[persons.persona[person]])
    writes &= (order["status"] == COMPLETED) & (posted < config.finish)
    rows = np.flatnonzero(writes)
    key, person = key[rows], person[rows]
    week = ((posted[rows] - config.start) // WEEK).clip(0, config.weeks - 1)
    feeling = 0.30 + persons.satisfaction[person] + catalogue.quality[first["product"][rows]]
    feeling = feeling - 0.7 * interest.trouble[person, week] + 0.3 * normal(key, "mood")
    return _rated(
        _written(
            key, REVIEW, posted[rows], order["customer"][rows], first["product"][rows],
            pick(key, "topic", _REVIEW_TOPICS), feeling,
        )
    )  # fmt: skip


def contact_support(
    config: MarketConfig, persons: Persons, interest: Interest, catalogue: Catalogue
) -> tuple[Rows, Rows]:
    """Calls (events) and tickets (feedback) that follow a bad experience."""
    person, week = np.nonzero(interest.trouble_begins)
    key = child_keys(persons.key[person], "support", week)
    time = moments(key, week_starts(config)[week], False)
    there = (time > persons.joined[person] + DAY) & (time < interest.churn_at[person])
    there &= time < config.finish - HOUR
    key, person, week, time = key[there], person[there], week[there], time[there]
    topic = pick(key, "topic", _TICKET_TOPICS)
    product = catalogue.choose(key, persons.persona[person], persons.favourite[person])
    customer = ref_in_use(persons, person, key, time)
    calls = np.flatnonzero(happens(key, "calls", _CALLS))
    events = blank_events(len(calls))
    events["key"] = child_keys(key[calls], "call")
    events["type"], events["channel"], events["detail"] = SUPPORT_CONTACT, CALL, TOPIC_DETAIL
    events["time"], events["customer"] = time[calls], customer[calls]
    events["about"], events["country"] = topic[calls], persons.country[person[calls]]
    writes = np.flatnonzero(happens(key, "writes", _WRITES))
    key, person, week = key[writes], person[writes], week[writes]
    feeling = -0.55 + 0.5 * persons.satisfaction[person] + 0.3 * normal(key, "mood")
    tickets = _written(
        child_keys(key, "ticket"), TICKET, time[writes] + 20 * MINUTE, customer[writes],
        product[writes], topic[writes], feeling,
    )  # fmt: skip
    leaving = happens(key, "threatens", (4.0 * interest.hazard[person, week]).clip(0, 0.6))
    intent = np.where(feeling < -0.15, COMPLAIN, ASK)
    tickets["intent"] = np.where(leaving & (feeling < -0.15), LEAVE, intent)
    return events, tickets


def remarks(sessions: Rows, persons: Persons, catalogue: Catalogue, share: float) -> Rows:
    """Reviews written on the spot during a part `share` of the visits."""
    key = child_keys(sessions["key"], "remark")
    rows = np.flatnonzero(happens(key, "writes", share))
    key, person = key[rows], sessions["person"][rows]
    product = catalogue.choose(key, persons.persona[person], persons.favourite[person])
    feeling = 0.30 + persons.satisfaction[person] + catalogue.quality[product]
    return _rated(
        _written(
            key, REVIEW, sessions["start"][rows] + MINUTE, sessions["customer"][rows], product,
            pick(key, "topic", _REVIEW_TOPICS), feeling + 0.3 * normal(key, "mood"),
        )
    )  # fmt: skip


def _rated(reviews: Rows) -> Rows:
    stars = np.round(3 + 2 * reviews["sentiment"] + 0.5 * normal(reviews["key"], "stars"))
    reviews["rating"] = stars.clip(1, 5)
    level = level_of(reviews["sentiment"])
    reviews["intent"] = np.select([level >= 3, level == 2], [PRAISE, REPORT], COMPLAIN)
    return reviews


def chat_questions(sessions: Rows, persons: Persons, catalogue: Catalogue) -> Rows:
    """Questions asked in the chat during visits of customers who log in."""
    key = child_keys(sessions["key"], "chat")
    rows = np.flatnonzero(sessions["logs_in"] & (sessions["views"] > 0) & happens(key, "c", _CHATS))
    key, person = key[rows], sessions["person"][rows]
    chats = _written(
        key, CHAT, sessions["start"][rows] + 5 * MINUTE, sessions["customer"][rows],
        catalogue.choose(key, persons.persona[person], persons.favourite[person]),
        below(key, "topic", len(TOPICS)),
        0.05 + 0.5 * persons.satisfaction[person] + 0.25 * normal(key, "mood"),
    )  # fmt: skip
    chats["intent"] = np.where(level_of(chats["sentiment"]) == LEVELS - 1, PRAISE, ASK)
    return chats
