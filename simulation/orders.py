"""What is bought, what it costs, what is cancelled and what comes back."""

from __future__ import annotations

import numpy as np

from simulation.calendar import days_later
from simulation.catalogue import Catalogue
from simulation.config import MarketConfig
from simulation.draws import (
    Ints,
    Rows,
    child_keys,
    empty_rows,
    happens,
    pick,
    poisson,
    repeated,
)
from simulation.personas import traits
from simulation.persons import Persons
from simulation.records import (
    AT_TILL,
    CANCELLED,
    COMPLETED,
    LINE,
    ORDER,
    PURCHASE,
    RETURNED,
)

_CANCEL_CHANCE = 0.03
_RETURN_CHANCE = 0.07
_PART_RETURNED = 0.35
_DISCOUNTS = np.array([0.05, 0.10, 0.20, 0.30])


def place_orders(sessions: Rows) -> Rows:
    """One `ORDER` row for each visit that ends in a purchase, timed at its start for now."""
    buying = np.flatnonzero((sessions["kind"] == PURCHASE) | (sessions["kind"] == AT_TILL))
    key = child_keys(sessions["key"][buying], "order")
    orders = empty_rows(len(buying), ORDER, key=key, session=buying)
    for column in ("person", "customer", "channel", "store", "country"):
        orders[column] = sessions[column][buying]
    orders["time"] = sessions["start"][buying]
    cancelled = happens(key, "cancelled", _CANCEL_CHANCE)
    orders["status"] = np.where(cancelled, CANCELLED, COMPLETED)
    return orders


def fill_baskets(orders: Rows, persons: Persons, catalogue: Catalogue) -> Rows:
    """The `LINE` rows of orders, at the price of their day."""
    persona = persons.persona[orders["person"]]
    counts = 1 + poisson(orders["key"], "lines", traits("lines")[persona] - 1)
    order, number = repeated(counts)
    key = child_keys(orders["key"][order], "line", number)
    persona, person = persona[order], orders["person"][order]
    product = catalogue.choose(key, persona, persons.favourite[person])
    quantity = 1 + poisson(key, "quantity", 0.25)
    cents = catalogue.price(product, orders["time"][order])
    share = _DISCOUNTS[pick(key, "depth", (0.3, 0.4, 0.2, 0.1))]
    share = np.where(happens(key, "discount", traits("discount")[persona]), share, 0.0)
    return empty_rows(
        len(key),
        LINE,
        order=order,
        order_key=orders["key"][order],
        number=number + 1,
        product=product,
        quantity=quantity,
        cents=cents,
        discount=np.round(share * quantity * cents),
    )


def order_totals(orders: Rows, lines: Rows) -> Ints:
    """Value of each order in cents: quantity times unit price, less discount, over its lines."""
    totals = np.zeros(len(orders), dtype=np.int64)
    np.add.at(totals, lines["order"], lines["quantity"] * lines["cents"] - lines["discount"])
    return totals


def send_back(
    config: MarketConfig, orders: Rows, lines: Rows, catalogue: Catalogue
) -> tuple[Rows, Rows]:
    """Returns of completed orders, 3 to 25 days later, and their lines.

    A return is an order of its own with its own key and status `returned`. Its lines name what
    came back with positive quantities: the status says that value flows back to the customer.
    """
    worst = np.zeros(len(orders))
    np.minimum.at(worst, lines["order"], catalogue.quality[lines["product"]])
    chance = _RETURN_CHANCE * np.exp(-1.2 * worst)
    back_at = days_later(orders["key"], "return", orders["time"], 3, 25)
    returns = happens(orders["key"], "returned", chance) & (orders["status"] == COMPLETED)
    returns &= back_at < config.finish
    row = np.flatnonzero(returns)
    returned = orders[row].copy()
    returned["key"] = child_keys(orders["key"][row], "return")
    returned["time"] = back_at[row]
    returned["status"] = RETURNED
    returned["session"] = -1
    new_row = np.full(len(orders), -1)
    new_row[row] = np.arange(len(row))
    line_key = child_keys(lines["order_key"], "line", lines["number"])
    goes = (new_row[lines["order"]] >= 0) & (
        (lines["number"] == 1) | happens(line_key, "goes back", _PART_RETURNED)
    )
    back = lines[goes].copy()
    back["order"] = new_row[back["order"]]
    back["order_key"] = returned["key"][back["order"]]
    return returned, back
