"""The devices that people, households and stores use, and what they call themselves."""

from __future__ import annotations

import numpy as np

from simulation.config import DAY, MarketConfig
from simulation.draws import Ints, Keys, below, child_keys, pick
from simulation.personas import APP
from simulation.persons import Persons
from simulation.records import DESKTOP, MOBILE, TABLET

STORES = 12
COOKIE_DAYS = 240

USER_AGENTS = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 Version/18.5 Safari/605.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    "ShopApp/5.12 (Android 15)",
    "ShopApp/5.12 (iOS 18.5)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "python-requests/2.32.3",
    "ShopKiosk/2.1",
)
DESKTOP_AGENTS = np.array([2, 3, 4])
CRAWLER_AGENTS = np.array([8, 9, 10, 11])
KIOSK_AGENT = 12

_SLOTS = np.array([0.42, 0.28, 0.30])
_PHONE_APP, _PHONE_WEB, _LAPTOP, _TABLET = range(4)


def kiosk_devices(config: MarketConfig) -> Keys:
    """Keys of the kiosks, one per store, shape (stores,)."""
    return child_keys(config.key, "kiosk", np.arange(STORES))


def personal_devices(
    persons: Persons, rows: Ints, keys: Keys, channel: Ints, times: Ints
) -> tuple[Keys, Ints, Ints]:
    """Device keys, device kinds and user agents of visits on the web or in the app.

    The phone's app keeps its anonymous_ref. A browser gets a new one every 240 days. The
    persons of one home share a tablet; others have none and use their laptop.
    """
    slot = pick(keys, "device", _SLOTS) + 1
    slot = np.where(channel == APP, _PHONE_APP, slot)
    shared = (slot == _TABLET) & persons.shares_home[rows]
    slot = np.where((slot == _TABLET) & ~shared, _LAPTOP, slot)
    owner = np.where(shared, persons.household[rows], persons.key[rows])
    offset = below(owner, "cookie age", COOKIE_DAYS)
    cookie = np.where(slot == _PHONE_APP, 0, (times // DAY + offset) // COOKIE_DAYS)
    device = child_keys(owner, "device", slot * 1_000 + cookie)
    brand = below(child_keys(owner, "brand", slot), "brand", 2)
    desktop = DESKTOP_AGENTS[below(child_keys(owner, "desktop"), "agent", len(DESKTOP_AGENTS))]
    agent = np.select(
        [slot == _PHONE_APP, slot == _PHONE_WEB, slot == _LAPTOP], [6 + brand, brand, desktop], 5
    )
    kind = np.select([slot == _LAPTOP, slot == _TABLET], [DESKTOP, TABLET], MOBILE)
    return device, kind, agent
