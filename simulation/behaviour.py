"""Everything that some persons do in the whole period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.browsing import message_events, visit_events
from simulation.campaigns import REACH, Campaigns, Messages, purchase_lift, send_messages
from simulation.catalogue import Catalogue
from simulation.config import MarketConfig
from simulation.consents import Consents, draw_consents
from simulation.draws import Ints, Rows
from simulation.engagement import Interest, draw_interest
from simulation.feedback import chat_questions, contact_support, write_reviews
from simulation.orders import fill_baskets, order_totals, place_orders, send_back
from simulation.persons import Persons, draw_persons
from simulation.records import ORDER_COMPLETED
from simulation.sessions import Volume, draw_sessions


@dataclass(frozen=True)
class Behaviour:
    """What some persons do, with the hidden state behind it; see `records` for the layouts."""

    persons: Persons
    interest: Interest
    consents: Consents
    messages: Messages
    sessions: Rows
    events: Rows
    orders: Rows
    lines: Rows
    feedback: Rows


def visits_and_orders(
    config: MarketConfig, catalogue: Catalogue, persons: Persons, sessions: Rows
) -> tuple[Rows, Rows, Rows]:
    """Events, orders and order lines of visits; an order is timed by its `order_completed`."""
    orders = place_orders(sessions)
    lines = fill_baskets(orders, persons, catalogue)
    totals = order_totals(orders, lines)
    events = visit_events(sessions, orders, lines, totals, persons, catalogue)
    done = events[events["type"] == ORDER_COMPLETED]
    by_key = np.argsort(done["about"])
    place = by_key[np.searchsorted(done["about"], orders["key"], sorter=by_key)]
    orders["time"] = done["time"][place]
    return events, orders, lines


def behave(
    config: MarketConfig,
    campaigns: Campaigns,
    catalogue: Catalogue,
    numbers: Ints,
    volume: Volume,
) -> Behaviour:
    """Simulate the persons with these numbers, shape (n,), from joining to leaving."""
    persons = draw_persons(config, numbers)
    interest = draw_interest(config, persons)
    consents = draw_consents(config, persons)
    messages = send_messages(config, campaigns, persons, interest, consents, REACH * volume.reach)
    lift = purchase_lift(config, campaigns, persons, messages)
    sessions = draw_sessions(config, persons, interest, lift, campaigns, messages, volume)
    events, orders, lines = visits_and_orders(config, catalogue, persons, sessions)
    calls, tickets = contact_support(config, persons, interest, catalogue)
    reviews = write_reviews(config, orders, lines, persons, interest, catalogue)
    chats = chat_questions(sessions, persons, catalogue)
    returns, returned_lines = send_back(config, orders, lines, catalogue)
    returned_lines["order"] += len(orders)
    reading = message_events(messages, campaigns, persons, config.finish)
    return Behaviour(
        persons=persons,
        interest=interest,
        consents=consents,
        messages=messages,
        sessions=sessions,
        events=in_time(np.concatenate([events, calls, reading])),
        orders=in_time(np.concatenate([orders, returns])),
        lines=np.concatenate([lines, returned_lines]),
        feedback=in_time(np.concatenate([reviews, tickets, chats])),
    )


def in_time(rows: Rows) -> Rows:
    """Rows in order of time, ties by key."""
    return rows[np.lexsort((rows["key"], rows["time"]))]
