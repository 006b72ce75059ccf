"""The products on sale, their prices over time and their true quality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.config import DAY, HOUR, MarketConfig
from simulation.draws import Floats, Ints, Keys, below, between, child_keys, happens, normal, pick
from simulation.personas import CATEGORIES, traits

PRODUCTS_PER_CATEGORY = 40
PRODUCTS = PRODUCTS_PER_CATEGORY * len(CATEGORIES)
PRICE_PERIOD = 90 * DAY

_BESTSELLERS = 6
_BRANDS = ("Alder", "Brightwell", "Corvo", "Dunlin", "Estuary", "Fjordlys", "Grebe", "Hollin")
_ADJECTIVES = ("Classic", "Compact", "Deluxe", "Everyday", "Nordic", "Original", "Slim", "Urban")
_NOUNS = {
    "kitchen": ("Kettle", "Pan Set", "Knife Block", "Coffee Press", "Blender"),
    "garden": ("Hose", "Planter", "Shears", "Lantern", "Bird Feeder"),
    "beauty": ("Face Cream", "Hair Dryer", "Soap Set", "Perfume", "Brush Kit"),
    "toys": ("Building Blocks", "Puzzle", "Plush Bear", "Race Track", "Paint Box"),
    "sports": ("Yoga Mat", "Running Belt", "Dumbbells", "Bike Lamp", "Water Bottle"),
    "books": ("Cookbook", "Novel", "Atlas", "Travel Guide", "Comic"),
    "electronics": ("Headphones", "Speaker", "Charger", "Smart Plug", "Webcam"),
    "fashion": ("Jacket", "Sneakers", "Scarf", "Backpack", "Shirt"),
    "home": ("Table Lamp", "Blanket", "Shelf", "Cushion", "Wall Clock"),
    "gifts": ("Gift Box", "Candle", "Photo Frame", "Card Set", "Chocolates"),
}
_TYPICAL_PRICE = (35, 28, 22, 25, 30, 16, 60, 45, 40, 18)


@dataclass(frozen=True)
class Catalogue:
    """All products, ordered by category and, within it, by price.

    Parameters
    ----------
    names, brands : one text per product.
    cents : price by product and price period, shape (products, periods).
    quality : true quality, mean 0, shape (products,).
    first_day : start of the first price period, microseconds.
    """

    names: tuple[str, ...]
    brands: tuple[str, ...]
    cents: Ints
    quality: Floats
    first_day: int

    def price(self, products: Ints, times: Ints) -> Ints:
        """Unit prices in cents of `products` at `times`, shape (n,)."""
        period = (times - self.first_day) // PRICE_PERIOD
        result: Ints = self.cents[products, period.clip(0, self.cents.shape[1] - 1)]
        return result

    def choose(self, keys: Keys, personas: Ints, favourites: Ints) -> Ints:
        """Products that people of `personas` look at: half of them in their favourite category."""
        taste = pick(keys, "category", traits("tastes")[personas])
        category = np.where(happens(keys, "favourite", 0.5), favourites, taste)
        level = traits("price_level")[personas]
        by_price = between(keys, "price level", 0.0, 1.0) ** (1.0 / level**2)
        place = (by_price * PRODUCTS_PER_CATEGORY).astype(np.int64)
        bestseller = below(keys, "bestseller", _BESTSELLERS) * 7 % PRODUCTS_PER_CATEGORY
        place = np.where(happens(keys, "popular", 0.35), bestseller, place)
        return category * PRODUCTS_PER_CATEGORY + place


def build_catalogue(config: MarketConfig) -> Catalogue:
    """The catalogue of a market: 40 products in each category."""
    keys = child_keys(config.key, "product", np.arange(PRODUCTS))
    typical = np.repeat(np.array(_TYPICAL_PRICE, dtype=np.float64), PRODUCTS_PER_CATEGORY)
    prices = typical * np.exp(0.5 * normal(keys, "price"))
    prices = np.sort(prices.reshape(len(CATEGORIES), -1), axis=1).ravel()
    periods = -(-config.days * DAY // PRICE_PERIOD) + 4
    period_keys = child_keys(keys[:, None], "period", np.arange(periods)[None, :])
    changes = np.where(
        happens(period_keys, "changes", 0.35), between(period_keys, "change", 0.96, 1.08), 1.0
    )
    changes[:, 0] = 1.0
    cents = np.round(prices[:, None] * np.cumprod(changes, axis=1)).astype(np.int64) * 100 + 99
    names = []
    for product in range(PRODUCTS):
        category, place = divmod(product, PRODUCTS_PER_CATEGORY)
        nouns = _NOUNS[CATEGORIES[category]]
        names.append(f"{_ADJECTIVES[place // len(nouns)]} {nouns[place % len(nouns)]}")
    brands = tuple(_BRANDS[brand] for brand in below(keys, "brand", len(_BRANDS)))
    return Catalogue(
        names=tuple(names),
        brands=brands,
        cents=cents,
        quality=0.35 * normal(keys, "quality"),
        first_day=config.start,
    )


def price_changes(config: MarketConfig, catalogue: Catalogue) -> tuple[Ints, Ints, Ints]:
    """Every product as of its listing and as of each change of price before the end.

    Returns
    -------
    products, cents, times : shape (n,); the instant of a change is the start of its period.
    """
    differs = np.ones(catalogue.cents.shape, dtype=np.bool_)
    differs[:, 1:] = catalogue.cents[:, 1:] != catalogue.cents[:, :-1]
    starts = config.start + np.arange(catalogue.cents.shape[1]) * PRICE_PERIOD
    products, periods = np.nonzero(differs & (starts < config.finish)[None, :])
    times = np.where(periods == 0, config.start - 30 * DAY + 8 * HOUR, starts[periods])
    return products, catalogue.cents[products, periods], times
