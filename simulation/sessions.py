"""When customers come by, through which channel, on which device, and what for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.calendar import moments, season, week_starts
from simulation.campaigns import Campaigns, Messages
from simulation.config import HOUR, WEEK, MarketConfig
from simulation.devices import KIOSK_AGENT, STORES, kiosk_devices, personal_devices
from simulation.draws import (
    Floats,
    Ints,
    Keys,
    Rows,
    below,
    child_keys,
    empty_rows,
    happens,
    pick,
    poisson,
    repeated,
)
from simulation.engagement import Interest
from simulation.personas import APP, PERSONA_NAMES, PUSH, STORE, WEB, traits
from simulation.persons import Persons, ref_in_use
from simulation.records import ABANDON, AT_TILL, BROWSE, BY_MESSAGE, KIOSK, PURCHASE, SESSION, TILL

LONGEST_VISIT = 2 * HOUR

_GIFT_GIVER = PERSONA_NAMES.index("gift giver")
_REFERRER_SHARES = (0.42, 0.28, 0.10, 0.05, 0.05, 0.10)
_KIOSK_CHANCE = 0.10
_LINGER_CHANCE = 0.03
_FIRST_ORDER_RATE = 0.4


@dataclass(frozen=True)
class Volume:
    """Factors that bring a market to the number of events it aims at."""

    purchases: float = 1.0
    visits: float = 1.0
    reach: float = 1.0


def purchase_rate(config: MarketConfig, persons: Persons, interest: Interest) -> Floats:
    """Orders per week while a customer, before campaigns, shape (persons, weeks)."""
    gifts = (persons.persona == _GIFT_GIVER)[:, None]
    demand = np.where(gifts, season(config, gifts=True)[None, :], season(config)[None, :])
    usual = traits("purchases")[persons.persona] * persons.activity * 7 / 30
    rate: Floats = usual[:, None] * demand * np.exp(1.1 * interest.level - 0.3 * interest.trouble)
    joins = ((persons.joined - config.start) // WEEK).clip(0, config.weeks - 1)
    newcomers = np.flatnonzero(persons.joined > config.start)
    rate[newcomers, joins[newcomers]] += _FIRST_ORDER_RATE
    return rate


def visit_rate(config: MarketConfig, persons: Persons, interest: Interest) -> Floats:
    """Visits without an order per week while a customer, shape (persons, weeks)."""
    usual = traits("visits")[persons.persona] * np.sqrt(persons.activity) * 7 / 30
    rate: Floats = usual[:, None] * season(config)[None, :] * np.exp(1.3 * interest.level)
    return rate


def draw_sessions(
    config: MarketConfig,
    persons: Persons,
    interest: Interest,
    lift: Floats,
    campaigns: Campaigns,
    messages: Messages,
    volume: Volume,
) -> Rows:
    """All visits of some persons as `SESSION` rows; nobody buys after leaving."""
    present = week_starts(config)[None, :] + WEEK > persons.joined[:, None]
    buys = purchase_rate(config, persons, interest) * lift * present * volume.purchases
    looks = visit_rate(config, persons, interest) * present * volume.visits
    purchases = _occasions(config, persons, buys, "purchase")
    visits = _occasions(config, persons, looks, "visit")
    buys_in_time = interest.churn_at[purchases["person"]] - LONGEST_VISIT
    purchases = purchases[purchases["start"] < buys_in_time]
    stays = visits["start"] < interest.churn_at[visits["person"]] - LONGEST_VISIT
    visits = visits[stays | happens(visits["key"], "lingers", _LINGER_CHANCE)]
    trouble = interest.trouble[visits["person"], visits["week"]]
    gives_up = happens(visits["key"], "abandons", 0.18 + 0.12 * trouble)
    visits["kind"] = np.where(gives_up, ABANDON, BROWSE)
    clicks = _after_clicks(config, messages, campaigns)
    shopping, looking = shop(purchases), look(visits, persons)
    sessions = np.concatenate([shopping, looking, clicks])
    return equip_sessions(config, persons, sessions)


def _occasions(config: MarketConfig, persons: Persons, rate: Floats, name: str) -> Rows:
    keys = child_keys(persons.key[:, None], name, np.arange(config.weeks)[None, :])
    counts = poisson(keys, "count", rate).ravel()
    cells, nth = repeated(counts)
    person, week = np.divmod(cells, config.weeks)
    key = child_keys(keys.ravel()[cells], "visit", nth)
    channel = pick(key, "channel", traits("channels")[persons.persona[person]])
    starts = week_starts(config)[week]
    start = np.where(channel == STORE, moments(key, starts, True), moments(key, starts, False))
    rows = empty_rows(
        len(key), SESSION, key=key, person=person, week=week, start=start, channel=channel
    )
    inside = (start >= persons.joined[person]) & (start < config.finish - LONGEST_VISIT)
    return rows[inside]


def shop(sessions: Rows) -> Rows:
    """Fill in kind, login and length of visits that end in a purchase (in place, returned)."""
    key = sessions["key"]
    in_store = sessions["channel"] == STORE
    at_kiosk = in_store & happens(key, "kiosk", _KIOSK_CHANCE)
    sessions["kind"] = np.where(in_store & ~at_kiosk, AT_TILL, PURCHASE)
    sessions["logs_in"] = True
    sessions["views"] = 1 + poisson(key, "views", np.where(at_kiosk, 0.3, 0.7))
    return sessions


def look(sessions: Rows, persons: Persons) -> Rows:
    """Fill in channel, login and length of visits without a purchase (in place, returned)."""
    key, persona = sessions["key"], persons.persona[sessions["person"]]
    sessions["channel"] = np.where(sessions["channel"] == STORE, WEB, sessions["channel"])
    chance = np.where(sessions["channel"] == APP, 0.9, traits("logs_in")[persona])
    sessions["logs_in"] = happens(key, "logs in", chance)
    sessions["views"] = 1 + poisson(key, "views", traits("depth")[persona] - 1)
    return sessions


def _after_clicks(config: MarketConfig, messages: Messages, campaigns: Campaigns) -> Rows:
    clicked = np.flatnonzero(messages.clicked_at >= 0)
    key = child_keys(messages.key[clicked], "landing")
    campaign = messages.campaign[clicked]
    channel = np.where(campaigns.channel[campaign] == PUSH, APP, WEB)
    return empty_rows(
        len(clicked),
        SESSION,
        key=key,
        person=messages.person[clicked],
        week=(messages.clicked_at[clicked] - config.start) // WEEK,
        start=messages.clicked_at[clicked] + 1_000_000,
        channel=channel,
        campaign=campaign + 1,
        referrer=BY_MESSAGE,
        logs_in=happens(key, "logs in", 0.5),
        views=1 + poisson(key, "views", 2.0),
    )


def equip_sessions(config: MarketConfig, persons: Persons, sessions: Rows) -> Rows:
    """Fill in device, store, referrer, country and customer_ref (in place, returned)."""
    key, person = sessions["key"], sessions["person"]
    device, kind, agent = personal_devices(
        persons, person, key, sessions["channel"], sessions["start"]
    )
    store = below(child_keys(persons.household[person], "store"), "store", STORES)
    in_store = sessions["channel"] == STORE
    at_till = sessions["kind"] == AT_TILL
    kiosk: Keys = kiosk_devices(config)[store]
    sessions["store"] = np.where(in_store, store, -1)
    sessions["device"] = np.where(at_till, np.uint64(0), np.where(in_store, kiosk, device))
    sessions["device_kind"] = np.where(at_till, TILL, np.where(in_store, KIOSK, kind))
    sessions["agent"] = np.where(at_till, -1, np.where(in_store, KIOSK_AGENT, agent))
    from_message = sessions["campaign"] > 0
    usual: Ints = pick(key, "referrer", _REFERRER_SHARES)
    usual = np.where(sessions["channel"] == WEB, usual, -1)
    sessions["referrer"] = np.where(from_message, BY_MESSAGE, usual)
    sessions["campaign"] -= 1
    sessions["country"] = persons.country[person]
    sessions["customer"] = ref_in_use(persons, person, key, sessions["start"])
    return sessions
