"""Attacks on accounts, cards and prices, by what they cannot avoid doing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.anomalies import HOUR, MINUTE, Finding, Flags, Instants, Visits, instant, runs, sample


@dataclass(frozen=True)
class TakeoverSettings:
    """So many failed logins within a time, then one that works on a device new to the customer.

    An order within ``order_minutes`` of that login makes it critical. A device is new when nobody
    saw the customer on it before the first of the failed tries.
    """

    failures: int = 5
    within_minutes: int = 60
    order_minutes: int = 120


@dataclass(frozen=True)
class CardSettings:
    """So many payments, failed ones included, within a time, at least so many of them failed,
    and half of the amounts no more than a share of what an order usually comes to."""

    payments: int = 8
    failed: int = 3
    within_minutes: int = 30
    small_share: float = 0.5


@dataclass(frozen=True)
class ScrapingSettings:
    """So many products looked at within ten minutes, or within a day, and nothing bought."""

    views_in_ten_minutes: int = 200
    views_in_a_day: int = 500


TAKEOVER, CARDS, SCRAPING = TakeoverSettings(), CardSettings(), ScrapingSettings()


def account_takeovers(
    seen: Visits, devices: pd.DataFrame, settings: TakeoverSettings = TAKEOVER
) -> list[Finding]:
    """Failed logins, then success on a new device, perhaps an order.

    Parameters
    ----------
    seen : Visits
    devices : DataFrame
        ``customer_key``, ``anonymous_key``, ``first_seen_at``: when each customer was first seen
        on each device, over all of history up to now.
    """
    named = seen.where(seen.events["customer_key"].notna().to_numpy())
    tries = named.of_type("login_failed", "login")
    failed = (tries.events["event_type"] == "login_failed").to_numpy()
    before = np.concatenate([[0], np.cumsum(failed)])
    first = tries.first_within(settings.within_minutes * MINUTE)
    failures = before[:-1] - before[first]
    suspects = np.flatnonzero(~failed & (failures >= settings.failures))
    found: list[Finding] = []
    if len(suspects) == 0:
        return found
    known = devices.set_index(["customer_key", "anonymous_key"])["first_seen_at"].to_dict()
    orders = named.of_type("order_completed")
    customers = tries.events["customer_key"].to_numpy(dtype=object)
    on_device = tries.events["anonymous_key"].to_numpy(dtype=object)
    ordered_on = orders.events["anonymous_key"].to_numpy(dtype=object)
    for row in suspects:
        customer, device = customers[row], on_device[row]
        tried = np.arange(first[row], row)
        tried = tried[failed[tried]]
        since = instant(tries.at[tried[0]])
        if pd.isna(device) or known.get((customer, device), since) < since:
            continue
        until = tries.at[row] + settings.order_minutes * MINUTE
        then = orders.rows_between(tries.visitor[row], tries.at[row], until)
        bought = then[ordered_on[then] == device]
        last = orders.at[bought[-1]] if len(bought) else tries.at[row]
        ids = [*tries.events.loc[[*tried, row], "event_id"], *orders.events.loc[bought, "event_id"]]
        found.append(
            Finding(
                kind="account_takeover",
                subject=str(customer),
                severity="critical" if len(bought) else "high",
                score=float(failures[row] / settings.failures),
                unusual=f"{failures[row]} failed logins; from {settings.failures} on it is told",
                since=since,
                detected_at=instant(tries.at[row]),
                last_seen_at=instant(last),
                rows=sample(pd.Series([*ids[-3:], *ids[:-3]])),
                message=(
                    f"{failures[row]} failed logins, then a login on a device new to the customer"
                    + _then_orders(len(bought))
                ),
            )
        )
    return found


def card_tests(seen: Visits, usual_amount: float, settings: CardSettings = CARDS) -> list[Finding]:
    """Many small payments, some of them failed, in a short time.

    Parameters
    ----------
    seen : Visits
    usual_amount : float
        What an order usually comes to (the median).
    """
    paid = seen.of_type("payment_failed", "order_completed")
    failed = (paid.events["event_type"] == "payment_failed").to_numpy()
    first = paid.first_within(settings.within_minutes * MINUTE)
    payments = np.arange(len(failed)) + 1 - first
    before = np.concatenate([[0], np.cumsum(failed)])
    many = (payments >= settings.payments) & (before[1:] - before[first] >= settings.failed)
    amounts = paid.events["event_value"].to_numpy(dtype=np.float64)
    holds = many & _small(amounts, first, many, settings.small_share * usual_amount)
    found = []
    for run in runs(paid, holds, settings.within_minutes * MINUTE):
        rows = np.arange(first[run[0]], run[-1] + 1)
        most = int(payments[run].max())
        found.append(
            Finding(
                kind="card_testing",
                subject=str(paid.events.loc[run[0], "visitor_key"]),
                severity="critical",
                score=most / settings.payments,
                unusual=f"{most} payments within {settings.within_minutes} minutes; "
                f"from {settings.payments} on it is told",
                since=instant(paid.at[rows[0]]),
                detected_at=instant(paid.at[run[0]]),
                last_seen_at=instant(paid.at[run[-1]]),
                rows=sample(paid.events.loc[rows, "event_id"]),
                message=f"{len(rows)} small payments in a row, {int(failed[rows].sum())} failed",
            )
        )
    return found


def scraping(seen: Visits, settings: ScrapingSettings = SCRAPING) -> list[Finding]:
    """Products looked at faster, or in greater number, than people do, and nothing bought."""
    views = seen.of_type("product_view", "order_completed")
    bought = (views.events["event_type"] == "order_completed").to_numpy()
    before = np.concatenate([[0], np.cumsum(bought)])
    looked = np.concatenate([[0], np.cumsum(~bought)])
    windows = (
        (10 * MINUTE, settings.views_in_ten_minutes, "ten minutes"),
        (24 * HOUR, settings.views_in_a_day, "a day"),
    )
    ratios, firsts = [], []
    for length, limit, _ in windows:
        first = views.first_within(length)
        count = looked[1:] - looked[first]
        ratios.append(np.where(before[1:] == before[first], count / limit, 0.0))
        firsts.append(first)
    ratio = np.maximum(*ratios)
    found = []
    for run in runs(views, ratio >= 1, 24 * HOUR):
        top = run[np.argmax(ratio[run])]
        which = int(ratios[1][top] > ratios[0][top])
        _, limit, words = windows[which]
        begin = firsts[int(ratios[0][run[0]] < 1)][run[0]]
        count = round(float(ratios[which][top]) * limit)
        found.append(
            Finding(
                kind="scraping",
                subject=str(views.events.loc[run[0], "visitor_key"]),
                severity="high",
                score=float(ratio[top]),
                unusual=f"{count} products within {words}; from {limit} on it is told",
                since=instant(views.at[begin]),
                detected_at=instant(views.at[run[0]]),
                last_seen_at=instant(views.at[run[-1]]),
                rows=sample(views.events.loc[np.arange(begin, run[-1] + 1), "event_id"]),
                message=f"{count} products looked at within {words} and nothing bought",
            )
        )
    return found


def _then_orders(orders: int) -> str:
    if orders == 0:
        return ""
    return ", then an order" if orders == 1 else f", then {orders} orders"


def _small(
    amounts: np.ndarray[tuple[int], np.dtype[np.float64]],
    first: Instants,
    asked: Flags,
    limit: float,
) -> Flags:
    """Whether half of the amounts of a window that are known are at most a limit."""
    small = np.zeros(len(amounts), dtype=bool)
    for row in np.flatnonzero(asked):
        window = amounts[first[row] : row + 1]
        window = window[~np.isnan(window)]
        small[row] = len(window) == 0 or float(np.median(window)) <= limit
    return small
