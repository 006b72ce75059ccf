"""Visits spelled out as events: look, search, log in, fill the cart, check out."""

from __future__ import annotations

import numpy as np

from simulation.campaigns import Campaigns, Messages
from simulation.catalogue import Catalogue
from simulation.config import MINUTE, SECOND
from simulation.draws import (
    Floats,
    Ints,
    Rows,
    below,
    child_keys,
    empty_rows,
    happens,
    normal,
    pick,
    poisson,
    repeated,
)
from simulation.personas import APP
from simulation.persons import Persons
from simulation.records import (
    ABANDON,
    ADD_TO_CART,
    AT_TILL,
    CHECKOUT_STARTED,
    EVENT,
    LOGIN,
    LOGIN_FAILED,
    MESSAGE_CLICKED,
    MESSAGE_OPENED,
    NO_CUSTOMER,
    ORDER_COMPLETED,
    ORDER_DETAIL,
    PAGE_OF_TYPE,
    PAGE_VIEW,
    PRODUCT_VIEW,
    PURCHASE,
    QUERY_DETAIL,
    REMOVE_FROM_CART,
    SEARCH,
)

QUERIES = 40

_CART, _REMOVAL, _LATE_LOGIN, _CHECKOUT, _DONE = 1_000, 1_500, 1_900, 2_000, 3_000
_LONGEST = 110 * MINUTE
LOGIN_FAILS = 0.04


def blank_events(count: int) -> Rows:
    """`EVENT` rows in which everything optional is absent."""
    return empty_rows(
        count, EVENT, customer=NO_CUSTOMER, page=-1, product=-1, campaign=-1, cents=-1,
        country=-1, device_kind=-1, agent=-1, referrer=-1,
    )  # fmt: skip


def _steps(sessions: Rows, rows: Ints, event_type: int, place: Floats) -> tuple[Rows, Ints, Floats]:
    """Events of one type for visits `rows`; `place` orders them within the visit."""
    events = blank_events(len(rows))
    events["type"] = event_type
    tenths = np.round(place * 10).astype(np.int64) + 20
    events["key"] = child_keys(sessions["key"][rows], "event", tenths)
    return events, rows, place


def _login_places(sessions: Rows) -> Floats:
    """Where in the visit the login stands; infinite for visits that stay anonymous."""
    key = sessions["key"]
    early = below(key, "login place", sessions["views"]) + 0.5
    late = (sessions["kind"] == PURCHASE) & happens(key, "logs in late", 0.5)
    place = np.where(late, _LATE_LOGIN, early)
    place = np.where(sessions["channel"] == APP, -0.5, place)
    place = np.where(sessions["kind"] == AT_TILL, -0.5, place)
    result: Floats = np.where(sessions["logs_in"], place, np.inf)
    return result


def _views(sessions: Rows, persons: Persons, catalogue: Catalogue) -> tuple[Rows, Ints, Floats]:
    rows, nth = repeated(np.where(sessions["kind"] == AT_TILL, 0, sessions["views"]))
    events, rows, place = _steps(sessions, rows, PAGE_VIEW, nth.astype(np.float64))
    kinds = np.array([PAGE_VIEW, PRODUCT_VIEW, SEARCH])
    events["type"] = np.where(
        nth == 0, PAGE_VIEW, kinds[pick(events["key"], "kind", (0.28, 0.58, 0.14))]
    )
    person = sessions["person"][rows]
    looks = events["type"] == PRODUCT_VIEW
    product = catalogue.choose(events["key"], persons.persona[person], persons.favourite[person])
    events["product"] = np.where(looks, product, -1)
    searches = events["type"] == SEARCH
    events["detail"] = np.where(searches, QUERY_DETAIL, 0)
    events["about"] = np.where(searches, below(events["key"], "query", QUERIES), 0)
    events["campaign"] = np.where(nth == 0, sessions["campaign"][rows], -1)
    events["referrer"] = np.where(nth == 0, sessions["referrer"][rows], -1)
    return events, rows, place


def _logins(sessions: Rows, places: Floats) -> list[tuple[Rows, Ints, Floats]]:
    rows = np.flatnonzero(np.isfinite(places) & (sessions["kind"] != AT_TILL))
    fails = rows[happens(sessions["key"][rows], "login fails", LOGIN_FAILS)]
    return [
        _steps(sessions, rows, LOGIN, places[rows]),
        _steps(sessions, fails, LOGIN_FAILED, places[fails] - 0.1),
    ]


def _abandoned(
    sessions: Rows, persons: Persons, catalogue: Catalogue
) -> list[tuple[Rows, Ints, Floats]]:
    """Carts that are filled and left, sometimes only at the checkout."""
    left = np.flatnonzero(sessions["kind"] == ABANDON)
    counts = 1 + poisson(sessions["key"][left], "left lines", 0.5)
    nth_row, nth = repeated(counts)
    added = _steps(sessions, left[nth_row], ADD_TO_CART, _CART + nth.astype(np.float64))
    events, rows, _ = added
    person = sessions["person"][rows]
    key = events["key"]
    events["product"] = catalogue.choose(key, persons.persona[person], persons.favourite[person])
    events["quantity"] = 1
    events["cents"] = catalogue.price(events["product"], sessions["start"][rows])
    taken_out = np.flatnonzero(happens(key, "taken out", 0.3))
    removed = _steps(
        sessions, rows[taken_out], REMOVE_FROM_CART, _REMOVAL + nth[taken_out].astype(np.float64)
    )
    for column in ("product", "quantity", "cents"):
        removed[0][column] = events[column][taken_out]
    at_checkout = left[happens(sessions["key"][left], "reaches checkout", 0.35)]
    started = _steps(sessions, at_checkout, CHECKOUT_STARTED, np.full(len(at_checkout), _CHECKOUT))
    return [added, removed, started]


def _purchases(
    sessions: Rows, orders: Rows, lines: Rows, totals: Ints
) -> list[tuple[Rows, Ints, Floats]]:
    in_cart = np.flatnonzero(sessions["kind"][orders["session"][lines["order"]]] == PURCHASE)
    bought = lines[in_cart]
    added = _steps(
        sessions, orders["session"][bought["order"]], ADD_TO_CART, _CART + 1.0 * bought["number"]
    )
    added[0]["product"] = bought["product"]
    added[0]["quantity"] = bought["quantity"]
    added[0]["cents"] = bought["quantity"] * bought["cents"]
    online = np.flatnonzero(sessions["kind"][orders["session"]] == PURCHASE)
    checkout = _steps(
        sessions, orders["session"][online], CHECKOUT_STARTED, np.full(len(online), _CHECKOUT)
    )
    checkout[0]["cents"] = totals[online]
    done = _steps(sessions, orders["session"], ORDER_COMPLETED, np.full(len(orders), _DONE))
    done[0]["cents"] = totals
    done[0]["detail"] = ORDER_DETAIL
    done[0]["about"] = orders["key"]
    return [added, checkout, done]


def visit_events(
    sessions: Rows,
    orders: Rows,
    lines: Rows,
    totals: Ints,
    persons: Persons,
    catalogue: Catalogue,
) -> Rows:
    """The events of all visits, each visit in order of time.

    Before the login an event carries the anonymous_ref alone; from the login on it carries the
    customer_ref too. A failed login names the customer whose account was tried. At a till the
    loyalty card names the customer and there is no anonymous_ref.
    """
    places = _login_places(sessions)
    parts = [
        _views(sessions, persons, catalogue),
        *_logins(sessions, places),
        *_abandoned(sessions, persons, catalogue),
        *_purchases(sessions, orders, lines, totals),
    ]
    events = np.concatenate([part[0] for part in parts])
    rows = np.concatenate([part[1] for part in parts])
    place = np.concatenate([part[2] for part in parts])
    in_order = np.lexsort((place, rows))
    events, rows, place = events[in_order], rows[in_order], place[in_order]
    for column in ("device", "channel", "country", "device_kind", "agent"):
        events[column] = sessions[column][rows]
    known = (place >= places[rows]) | (events["type"] == LOGIN_FAILED)
    events["customer"] = np.where(known, sessions["customer"][rows], NO_CUSTOMER)
    events["page"] = np.where(sessions["kind"][rows] == AT_TILL, -1, PAGE_OF_TYPE[events["type"]])
    events["time"] = sessions["start"][rows] + _elapsed(events, rows)
    return events


def _elapsed(events: Rows, rows: Ints) -> Ints:
    """Microseconds since the first event of the same visit."""
    gap = (np.exp(3.1 + 0.8 * normal(events["key"], "gap")) * SECOND).astype(np.int64)
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = rows[1:] != rows[:-1]
    passed = np.cumsum(gap)
    begins = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    result: Ints = np.minimum(passed - passed[begins], _LONGEST) if len(rows) else passed
    return result


def message_events(messages: Messages, campaigns: Campaigns, persons: Persons, finish: int) -> Rows:
    """The `message_opened` and `message_clicked` events before `finish`."""
    parts = []
    for event_type, times in (
        (MESSAGE_OPENED, messages.opened_at),
        (MESSAGE_CLICKED, messages.clicked_at),
    ):
        rows = np.flatnonzero((times >= 0) & (times < finish))
        events = blank_events(len(rows))
        events["key"] = child_keys(messages.key[rows], "read", event_type)
        events["type"] = event_type
        events["time"] = times[rows]
        events["customer"] = persons.ref[messages.person[rows]]
        events["channel"] = campaigns.channel[messages.campaign[rows]]
        events["campaign"] = messages.campaign[rows]
        events["country"] = persons.country[messages.person[rows]]
        parts.append(events)
    return np.concatenate(parts)
