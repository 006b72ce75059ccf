"""Canonical tables made from the simulation's records."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulation.browsing import QUERIES
from simulation.campaigns import Campaigns, Messages
from simulation.catalogue import PRODUCTS, Catalogue, price_changes
from simulation.config import MarketConfig
from simulation.consents import PURPOSES, Consents, consent_rows
from simulation.devices import USER_AGENTS
from simulation.draws import Flags, Ints, Rows
from simulation.personas import CATEGORIES, CHANNELS
from simulation.persons import COUNTRIES, CURRENCIES, Persons
from simulation.records import (
    DEVICE_KINDS,
    EVENT_TYPES,
    ORDER_DETAIL,
    PAGES,
    QUERY_DETAIL,
    REFERRERS,
    STATUSES,
    TOPIC_DETAIL,
)
from simulation.schemas import SCHEMAS
from simulation.text import digits, joined, money, refs, times, words
from simulation.wording import TOPICS

_VARIANTS = ("a", "b", "control")
PRODUCT_REFS = tuple(f"SKU-{product:04d}" for product in range(PRODUCTS))
_ADVERBS = ("cheap", "best", "small", "new")
_QUERIES = tuple(f"{_ADVERBS[i % 4]} {CATEGORIES[i // 4]}" for i in range(QUERIES))


def customer_texts(numbers: Ints) -> pa.Array:
    """The customer_refs of their numbers; null for -1."""
    return digits("C", numbers, 8, numbers < 0)


def _table(entity: str, columns: dict[str, pa.Array]) -> pa.Table:
    return pa.table(columns, schema=SCHEMAS[entity])


def _currency(countries: Ints) -> pa.Array:
    return words(CURRENCIES, countries)


def event_table(events: Rows, campaign_refs: list[str]) -> pa.Table:
    """Events in the order given."""
    no_value = events["cents"] < 0
    return _table(
        "events",
        {
            "event_id": refs("E", events["key"]),
            "occurred_at": times(events["time"]),
            "event_type": words(EVENT_TYPES, events["type"]),
            "anonymous_ref": refs("A", events["device"], events["device"] == 0),
            "customer_ref": customer_texts(events["customer"]),
            "channel": words(CHANNELS, events["channel"]),
            "page": words(PAGES, events["page"]),
            "product_ref": words(PRODUCT_REFS, events["product"]),
            "campaign_ref": words(campaign_refs, events["campaign"]),
            "quantity": pa.array(events["quantity"].astype(np.int64), mask=events["quantity"] == 0),
            "value": money(events["cents"], no_value),
            "currency": _currency(np.where(no_value, -1, events["country"])),
            "country": words(COUNTRIES, events["country"]),
            "device": words(DEVICE_KINDS, events["device_kind"]),
            "user_agent": words(USER_AGENTS, events["agent"]),
            "referrer": words(REFERRERS, events["referrer"]),
            "properties": _properties(events),
        },
    )


def _properties(events: Rows) -> pa.Array:
    """JSON of the few events that have details: the order, the search words, the topic."""
    texts = [pa.array([None], pa.string())]
    place = np.zeros(len(events), dtype=np.int64)
    used = 1
    names = {ORDER_DETAIL: "order_ref", QUERY_DETAIL: "query", TOPIC_DETAIL: "topic"}
    for detail, name in names.items():
        rows = np.flatnonzero(events["detail"] == detail)
        about = events["about"][rows]
        if detail == ORDER_DETAIL:
            inner = refs("O", about)
        else:
            inner = words(_QUERIES if detail == QUERY_DETAIL else TOPICS, about)
        texts.append(joined(f'{{"{name}": "', inner, '"}'))
        place[rows] = used + np.arange(len(rows))
        used += len(rows)
    return pa.concat_arrays(texts).take(pa.array(place))


def order_table(orders: Rows) -> pa.Table:
    """Orders and returns, one row each."""
    return _table(
        "orders",
        {
            "order_ref": refs("O", orders["key"]),
            "ordered_at": times(orders["time"]),
            "customer_ref": customer_texts(orders["customer"]),
            "channel": words(CHANNELS, orders["channel"]),
            "store_ref": digits("S", orders["store"].clip(0) + 1, 2, orders["store"] < 0),
            "status": words(STATUSES, orders["status"]),
            "currency": _currency(orders["country"]),
        },
    )


def line_table(lines: Rows) -> pa.Table:
    """Order lines; `discount` is the amount taken off the line, in the order's currency."""
    return _table(
        "order_lines",
        {
            "order_ref": refs("O", lines["order_key"]),
            "line_number": pa.array(np.ascontiguousarray(lines["number"])),
            "product_ref": words(PRODUCT_REFS, lines["product"]),
            "quantity": pa.array(np.ascontiguousarray(lines["quantity"])),
            "unit_price": money(lines["cents"]),
            "discount": money(lines["discount"]),
        },
    )


def product_table(config: MarketConfig, catalogue: Catalogue) -> pa.Table:
    """Products as of their listing and of each change of price."""
    product, cents, changed = price_changes(config, catalogue)
    return _table(
        "products",
        {
            "product_ref": words(PRODUCT_REFS, product),
            "name": words(catalogue.names, product),
            "category": words(CATEGORIES, product // (PRODUCTS // len(CATEGORIES))),
            "brand": words(catalogue.brands, product),
            "price": money(cents),
            "updated_at": times(changed),
        },
    )


def message_table(messages: Messages, campaigns: Campaigns, persons: Persons) -> pa.Table:
    """Messages sent and messages held back (`is_control`)."""
    return _table(
        "messages",
        {
            "message_ref": refs("M", messages.key),
            "sent_at": times(messages.sent_at),
            "customer_ref": customer_texts(persons.ref[messages.person]),
            "campaign_ref": words(campaigns.refs(), messages.campaign),
            "channel": words(CHANNELS, campaigns.channel[messages.campaign]),
            "variant": words(_VARIANTS, messages.variant),
            "is_control": pa.array(messages.is_control),
            "cost": pa.array(messages.cost),
        },
    )


def consent_table(persons: Persons, consents: Consents) -> pa.Table:
    """Decisions on each purpose, in no particular order."""
    customers, purposes, granted, decided = consent_rows(persons, consents)
    return _consents(customers, purposes, granted, decided)


def tester_consents(customers: Ints, decided_at: int) -> pa.Table:
    """Refusals of every purpose by the throwaway accounts."""
    people, purposes = np.indices((len(customers), len(PURPOSES))).reshape(2, -1)
    refused = np.zeros(len(people), dtype=np.bool_)
    return _consents(customers[people], purposes, refused, np.full(len(people), decided_at))


def _consents(customers: Ints, purposes: Ints, granted: Flags, decided: Ints) -> pa.Table:
    return _table(
        "consents",
        {
            "customer_ref": customer_texts(customers),
            "purpose": words(PURPOSES, purposes),
            "granted": pa.array(granted),
            "decided_at": times(decided),
        },
    )
