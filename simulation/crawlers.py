"""Visitors that are no people: crawlers that say so, and bots that pretend."""

from __future__ import annotations

import numpy as np

from simulation.browsing import blank_events
from simulation.catalogue import PRODUCTS
from simulation.config import DAY, MINUTE, SECOND, MarketConfig
from simulation.devices import CRAWLER_AGENTS, DESKTOP_AGENTS
from simulation.draws import Ints, Keys, Rows, below, between, child_keys, happens, repeated
from simulation.personas import WEB
from simulation.persons import COUNTRIES
from simulation.records import DESKTOP, PAGE_OF_TYPE, PAGE_VIEW, PRODUCT_VIEW

BOT_SHARE = 0.03
RUN_LENGTH = 100
_RUNS_PER_BOT = 8
_PRETENDERS = 0.4


def bot_runs(config: MarketConfig) -> int:
    """How many runs of about 100 requests the bots of a market make."""
    return max(4, round(config.events * BOT_SHARE / RUN_LENGTH))


def bot_devices(config: MarketConfig) -> Keys:
    """Device keys of all bots of a market, shape (bots,)."""
    bots = np.arange(-(-bot_runs(config) // _RUNS_PER_BOT))
    return child_keys(child_keys(config.key, "bot", bots), "device")


def crawl(config: MarketConfig, runs: Ints) -> Rows:
    """The events of bot runs with these numbers, shape (runs,): many pages, steady and fast.

    A bot keeps its anonymous_ref for eight runs. Four bots in ten use a browser's user agent;
    only their pace and their reach give them away.
    """
    bot = child_keys(config.key, "bot", runs // _RUNS_PER_BOT)
    run = child_keys(config.key, "bot run", runs)
    pretends = happens(bot, "pretends", _PRETENDERS)
    length = 60 + below(run, "length", 2 * (RUN_LENGTH - 60) + 1)
    latest = config.finish - config.start - DAY
    start = config.start + (between(run, "start", 0, 1) * latest).astype(np.int64)
    pace = between(bot, "pace", 0.4, 6.0) * SECOND
    row, nth = repeated(length)
    events = blank_events(len(row))
    key = child_keys(run[row], "request", nth)
    events["key"] = key
    events["type"] = np.where(happens(key, "looks at product", 0.8), PRODUCT_VIEW, PAGE_VIEW)
    jitter = np.where(pretends[row], between(key, "jitter", 0, 0.9), between(key, "jitter", 0, 0.2))
    events["time"] = start[row] + ((nth + jitter) * pace[row]).astype(np.int64)
    events["device"] = child_keys(bot, "device")[row]
    events["channel"], events["device_kind"] = WEB, DESKTOP
    events["page"] = PAGE_OF_TYPE[events["type"]]
    product = (below(run, "first product", PRODUCTS)[row] + nth) % PRODUCTS
    events["product"] = np.where(events["type"] == PRODUCT_VIEW, product, -1)
    events["country"] = below(bot, "country", len(COUNTRIES))[row]
    browser = DESKTOP_AGENTS[below(bot, "browser", len(DESKTOP_AGENTS))]
    crawler = CRAWLER_AGENTS[below(bot, "crawler", len(CRAWLER_AGENTS))]
    events["agent"] = np.where(pretends, browser, crawler)[row]
    events["referrer"] = np.where(nth == 0, 0, -1)
    return events[events["time"] < config.finish - MINUTE]
