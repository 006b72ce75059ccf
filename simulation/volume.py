"""How busy a market has to be to meet the number of events it is asked for."""

from __future__ import annotations

import numpy as np

from simulation.anomalies import (
    Incidents,
    scrape_prices,
    take_over_accounts,
    takeover_victims,
    try_cards,
)
from simulation.behaviour import Behaviour, behave
from simulation.browsing import LOGIN_FAILS
from simulation.campaigns import Campaigns
from simulation.catalogue import Catalogue
from simulation.config import MarketConfig
from simulation.crawlers import RUN_LENGTH, bot_runs
from simulation.draws import Floats
from simulation.engagement import draw_interest
from simulation.persons import draw_persons
from simulation.records import AT_TILL, MESSAGE_CLICKED, MESSAGE_OPENED, PURCHASE, SUPPORT_CONTACT
from simulation.sessions import Volume

PILOT_PERSONS = 6_000
_PILOT_CHUNK = 2_000
_LARGEST_PURCHASE_SHARE = 0.60
_LARGEST_MESSAGE_SHARE = 0.15


def incidents(config: MarketConfig, catalogue: Catalogue) -> list[Incidents]:
    """All planted anomalies of a market."""
    victims = draw_persons(config, takeover_victims(config))
    return [
        take_over_accounts(config, victims, draw_interest(config, victims), catalogue),
        try_cards(config, catalogue),
        scrape_prices(config),
    ]


def fit_volume(config: MarketConfig, campaigns: Campaigns, catalogue: Catalogue) -> Volume:
    """Factors on purchases, visits and messages, found on a pilot of 6,000 persons or more.

    Purchases keep their natural rate while they make up at most 55 % of the events; visits
    without a purchase fill the rest.
    """
    count = min(config.customers, max(PILOT_PERSONS, config.customers // 50))
    numbers = np.arange(count) * config.customers // count
    seen = np.zeros(4)
    for first in range(0, count, _PILOT_CHUNK):
        behaviour = behave(
            config, campaigns, catalogue, numbers[first : first + _PILOT_CHUNK], Volume()
        )
        seen += _families(behaviour)
    purchases, messages, visits, calls = seen * config.customers / count
    planted = sum(len(found.events) for found in incidents(config, catalogue))
    budget = config.events - planted - bot_runs(config) * RUN_LENGTH - calls
    budget = max(budget, config.events / 4)
    buying = min(1.0, _LARGEST_PURCHASE_SHARE * budget / max(purchases, 1.0))
    reach = min(1.0, _LARGEST_MESSAGE_SHARE * budget / max(messages, 1.0))
    rest = budget - buying * purchases - reach * messages
    return Volume(purchases=buying, visits=rest / max(visits, 1.0), reach=reach)


def _families(behaviour: Behaviour) -> Floats:
    """Events caused by purchases, messages, other visits and bad experiences, shape (4,)."""
    sessions, orders, types = behaviour.sessions, behaviour.orders, behaviour.events["type"]
    placed = orders[orders["session"] >= 0]
    online = placed[sessions["kind"][placed["session"]] == PURCHASE]
    in_cart = np.isin(behaviour.lines["order_key"], online["key"]).sum()
    shopping = sessions[sessions["kind"] == PURCHASE]
    steps = 1 + LOGIN_FAILS + 2
    at_till = (sessions["kind"] == AT_TILL).sum()
    buying = at_till + (shopping["views"] + steps).sum() + in_cart
    landing = sessions[sessions["campaign"] >= 0]
    reading = np.isin(types, (MESSAGE_OPENED, MESSAGE_CLICKED)).sum()
    by_message = reading + (landing["views"] + landing["logs_in"] * (1 + LOGIN_FAILS)).sum()
    calls = (types == SUPPORT_CONTACT).sum()
    looking = len(types) - buying - by_message - calls
    return np.array([buying, by_message, looking, calls], dtype=np.float64)
