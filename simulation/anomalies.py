"""Incidents planted in the market: stolen accounts, tested cards and scraped prices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.browsing import blank_events
from simulation.catalogue import PRODUCTS, Catalogue
from simulation.config import DAY, HOUR, MINUTE, SECOND, MarketConfig
from simulation.devices import DESKTOP_AGENTS
from simulation.draws import Ints, Keys, Rows, below, between, child_keys, empty_rows, repeated
from simulation.engagement import Interest
from simulation.personas import WEB
from simulation.persons import COUNTRIES, Persons, customer_refs
from simulation.records import (
    ADD_TO_CART,
    CANCELLED,
    CHECKOUT_STARTED,
    COMPLETED,
    DESKTOP,
    LINE,
    LOGIN,
    LOGIN_FAILED,
    NO_CUSTOMER,
    ORDER,
    ORDER_COMPLETED,
    ORDER_DETAIL,
    PAGE_OF_TYPE,
    PAYMENT_FAILED,
    PRODUCT_VIEW,
)

ANOMALY_KINDS = ("account_takeover", "card_testing", "price_scraping")
_CARD_TRIES = 60
_SCRAPED = 300
_NO_PERSON = 5_000_000


@dataclass(frozen=True)
class Incidents:
    """What the incidents of one kind leave behind; see `records` for the layouts.

    `kind` is an index of `ANOMALY_KINDS`; `customer`, `device`, `start` and `end` have shape
    (incidents,), `customer` is -1 where no account is involved.
    """

    kind: int
    events: Rows
    orders: Rows
    lines: Rows
    customer: Ints
    device: Keys
    start: Ints
    end: Ints


def takeover_victims(config: MarketConfig) -> Ints:
    """Numbers of the persons whose accounts are attacked (each of them once)."""
    count = max(3, config.customers // 2_000)
    keys = child_keys(config.key, "takeover", np.arange(count))
    return np.unique(below(keys, "victim", config.customers))


def card_testers(config: MarketConfig) -> Ints:
    """Numbers of the throwaway customer_refs that card testers register."""
    count = np.arange(max(2, config.customers // 5_000))
    return customer_refs(config, _NO_PERSON + count, 0)


def _start(config: MarketConfig, keys: Keys, opens: Ints, closes: Ints) -> Ints:
    inside = np.maximum(closes - opens - DAY, HOUR)
    result: Ints = opens + (between(keys, "start", 0.05, 0.95) * inside).astype(np.int64)
    return result


def _dress(events: Rows, keys: Keys, row: Ints) -> Rows:
    events["device"] = child_keys(keys, "device")[row]
    events["channel"], events["device_kind"] = WEB, DESKTOP
    events["page"] = PAGE_OF_TYPE[events["type"]]
    events["agent"] = DESKTOP_AGENTS[below(keys, "agent", len(DESKTOP_AGENTS))][row]
    events["country"] = below(keys, "country", len(COUNTRIES))[row]
    return events


def take_over_accounts(
    config: MarketConfig, victims: Persons, interest: Interest, catalogue: Catalogue
) -> Incidents:
    """Ten to thirty failed logins, a login from an unknown device, and a dear order at once.

    It happens while the victim is a customer for at least three more days; victims who are not
    are left alone.
    """
    closes = np.minimum(interest.churn_at, config.finish) - 2 * DAY
    fit = np.flatnonzero(closes - victims.joined > 3 * DAY)
    keys = child_keys(victims.key[fit], "takeover")
    start = _start(config, keys, victims.joined[fit], closes[fit])
    fails = 10 + below(keys, "fails", 21)
    row, nth = repeated(fails + 4)
    last = nth - fails[row]
    events = blank_events(len(row))
    events["key"] = child_keys(keys[row], "event", nth)
    steps = np.array([LOGIN, ADD_TO_CART, CHECKOUT_STARTED, ORDER_COMPLETED])
    events["type"] = np.where(last < 0, LOGIN_FAILED, steps[last.clip(0)])
    events = _dress(events, keys, row)
    events["time"] = start[row] + (nth * 4 + np.where(last >= 0, 60 + last * 20, 0)) * SECOND
    events["customer"] = victims.ref[fit][row]
    dear = np.full(len(fit), PRODUCTS // 10 * 7 - 1) - below(keys, "product", 3)
    quantity = 3 + below(keys, "quantity", 4)
    done = np.flatnonzero(last == 3)
    orders, lines = _orders(keys, events[done], dear, quantity, catalogue)
    orders["country"] = victims.country[fit]
    events["country"][done] = victims.country[fit]
    _tell_orders(events, done, orders, lines)
    return Incidents(
        0, events, orders, lines, victims.ref[fit], child_keys(keys, "device"), start,
        events["time"][done],
    )  # fmt: skip


def try_cards(config: MarketConfig, catalogue: Catalogue) -> Incidents:
    """One throwaway account tries sixty cards on cheap orders within half an hour."""
    customers = card_testers(config)
    keys = child_keys(config.key, "card testing", np.arange(len(customers)))
    opens = np.full(len(keys), config.start)
    start = _start(config, keys, opens, np.full(len(keys), config.finish - DAY))
    row, nth = repeated(np.full(len(keys), 1 + 2 * _CARD_TRIES))
    key = child_keys(keys[row], "event", nth)
    events = blank_events(len(row))
    events["key"] = key
    works = below(key, "works", 5) == 0
    events["type"] = np.where(nth % 2 == 1, CHECKOUT_STARTED, PAYMENT_FAILED)
    events["type"] = np.where((nth % 2 == 0) & works, ORDER_COMPLETED, events["type"])
    events["type"] = np.where(nth == 0, LOGIN, events["type"])
    events = _dress(events, keys, row)
    events["time"] = start[row] + nth * 14 * SECOND
    events["customer"] = customers[row]
    done = np.flatnonzero(events["type"] == ORDER_COMPLETED)
    cheap = below(key[done], "category", 10) * (PRODUCTS // 10)
    orders, lines = _orders(key[done], events[done], cheap, np.ones(len(done), np.int64), catalogue)
    orders["status"] = np.where(below(key[done], "caught", 2) == 0, CANCELLED, COMPLETED)
    _tell_orders(events, done, orders, lines)
    return Incidents(
        1, events, orders, lines, customers, child_keys(keys, "device"), start,
        start + 2 * _CARD_TRIES * 14 * SECOND,
    )  # fmt: skip


def scrape_prices(config: MarketConfig) -> Incidents:
    """One browser walks through three hundred products at one a second, day and night."""
    keys = child_keys(config.key, "scraping", np.arange(max(1, config.customers // 10_000)))
    opens = np.full(len(keys), config.start)
    start = _start(config, keys, opens, np.full(len(keys), config.finish - DAY))
    row, nth = repeated(np.full(len(keys), _SCRAPED))
    events = blank_events(len(row))
    events["key"] = child_keys(keys[row], "event", nth)
    events["type"] = PRODUCT_VIEW
    events = _dress(events, keys, row)
    events["product"] = nth % PRODUCTS
    events["time"] = start[row] + nth * SECOND + below(events["key"], "jitter", SECOND // 2)
    return Incidents(
        2, events, empty_rows(0, ORDER), empty_rows(0, LINE), np.full(len(keys), NO_CUSTOMER),
        child_keys(keys, "device"), start, start + _SCRAPED * SECOND + MINUTE,
    )  # fmt: skip


def _orders(
    keys: Keys, events: Rows, product: Ints, quantity: Ints, catalogue: Catalogue
) -> tuple[Rows, Rows]:
    order_key = child_keys(keys, "order")
    orders = empty_rows(len(keys), ORDER, key=order_key, session=-1, person=-1, store=-1)
    for column in ("time", "customer", "channel", "country"):
        orders[column] = events[column]
    lines = empty_rows(
        len(keys), LINE, order=np.arange(len(keys)), order_key=order_key, number=1,
        product=product, quantity=quantity, cents=catalogue.price(product, orders["time"]),
    )  # fmt: skip
    return orders, lines


def _tell_orders(events: Rows, done: Ints, orders: Rows, lines: Rows) -> None:
    events["cents"][done] = lines["quantity"] * lines["cents"]
    events["detail"][done] = ORDER_DETAIL
    events["about"][done] = orders["key"]
