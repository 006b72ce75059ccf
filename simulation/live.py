"""The market going on: visits that happen now, in batches between two instants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from simulation.behaviour import in_time, visits_and_orders
from simulation.campaigns import plan_campaigns
from simulation.catalogue import build_catalogue
from simulation.config import MINUTE, SECOND, MarketConfig
from simulation.consents import draw_consents
from simulation.draws import (
    Ints,
    Rows,
    below,
    between,
    child_keys,
    empty_rows,
    happens,
    pick,
    poisson,
    uniform,
)
from simulation.engagement import NEVER, draw_interest
from simulation.feedback import chat_questions, remarks
from simulation.people_tables import customer_table, feedback_table
from simulation.personas import traits
from simulation.persons import Persons, draw_persons
from simulation.profiles import first_profiles
from simulation.records import ABANDON, BROWSE, EVENT, FEEDBACK, LINE, ORDER, SESSION
from simulation.sessions import equip_sessions, look, purchase_rate, shop, visit_rate
from simulation.tables import consent_table, event_table, line_table, order_table

NEWCOMER_CHANCE = 0.02

_REGULARS = 900_000
_VISITS_PER_HOUR = 1.0
_REMARK_CHANCE = 0.02
_WARM_UP = 20 * MINUTE
_TRIAL_VISITS = 4_000
_FIRST_NEWCOMER, _NEWCOMERS = 1_000_000, 3_900_000


class LiveFeed:
    """A market that goes on from its last week, at a given pace.

    Those who had not left by the end of the market come back as often as their last week
    says, times what the pace asks for, but nobody more than once an hour: where the pace asks for
    more, the others come in their stead, and at the utmost all as often as each other. A few
    newcomers join. Visits take their natural time: one that is under way at the end
    of a batch goes on in the next one, and those under way at `start` show their rest only.

    Parameters
    ----------
    config : the market to continue.
    rate : events per second to aim at.
    start : first instant of the feed, microseconds since 1970, UTC. Together with the config
        and the later calls it decides everything that the feed yields.
    """

    def __init__(self, config: MarketConfig, rate: float, start: int) -> None:
        if rate <= 0:
            raise ValueError(f"rate must be above 0 events per second, not {rate}")
        self.config = config
        self.now = start
        self._campaign_refs = plan_campaigns(config).refs()
        self._catalogue = build_catalogue(config)
        self._key = child_keys(config.key, "live", start // SECOND)
        self._start_second = start // SECOND
        self._batches = 0
        self._joined = 0
        self._regulars, weights, self._buying = self._who_comes()
        self._events = empty_rows(0, EVENT)
        self._orders = empty_rows(0, ORDER)
        self._lines = empty_rows(0, LINE)
        self._feedback = empty_rows(0, FEEDBACK)
        self._visit_weight = np.cumsum(weights)
        most = _VISITS_PER_HOUR * self._events_per_visit() / (3600 * rate)
        self._visit_weight = np.cumsum(shares_of_visits(weights, most))
        self._visits_per_second = rate / self._events_per_visit()
        self._begin_visits(start - _WARM_UP, start)
        self._take_due(start)

    def advance(self, until: int) -> dict[str, pa.Table]:
        """Canonical tables of what happens from the last instant to before `until`."""
        if until <= self.now:
            raise ValueError(f"time runs forward: {until} is not after {self.now}")
        newcomers = self._begin_visits(self.now, until)
        events, orders, lines, feedback = self._take_due(until)
        self.now = until
        return {
            "customers": customer_table(first_profiles(newcomers)),
            "consents": consent_table(newcomers, draw_consents(self.config, newcomers)),
            "orders": order_table(orders),
            "order_lines": line_table(lines),
            "feedback": feedback_table(feedback, self._catalogue),
            "events": event_table(events, self._campaign_refs),
        }

    def _who_comes(self) -> tuple[Ints, np.ndarray, np.ndarray]:
        """Persons, how often they come in a week, and how often they buy when they do."""
        config = self.config
        if config.customers <= _REGULARS:
            numbers = np.arange(config.customers)
        else:
            keys = child_keys(config.key, "regular", np.arange(_REGULARS))
            numbers = np.unique(below(keys, "number", config.customers))
        weights, buying = [], []
        for part in np.array_split(numbers, max(1, len(numbers) // 2_000)):
            persons = draw_persons(config, part)
            interest = draw_interest(config, persons)
            buys = purchase_rate(config, persons, interest)[:, -1]
            looks = visit_rate(config, persons, interest)[:, -1]
            weights.append(np.where(interest.churn_at == NEVER, buys + looks, 0.0))
            buying.append(buys / (buys + looks))
        return numbers, np.concatenate(weights), np.concatenate(buying)

    def _events_per_visit(self) -> float:
        keys = child_keys(self.config.key, "trial visit", np.arange(_TRIAL_VISITS))
        chosen = self._choose(keys)
        persons = draw_persons(self.config, self._regulars[chosen])
        starts = np.full(_TRIAL_VISITS, self.now)
        sessions = self._visits(keys, persons, self._buying[chosen], starts)
        events, _, _ = visits_and_orders(self.config, self._catalogue, persons, sessions)
        return len(events) / _TRIAL_VISITS

    def _choose(self, keys: np.ndarray) -> Ints:
        drawn = uniform(keys, "who") * self._visit_weight[-1]
        chosen: Ints = np.searchsorted(self._visit_weight, drawn).clip(0, len(self._regulars) - 1)
        return chosen

    def _begin_visits(self, begin: int, end: int) -> Persons:
        """Let visits begin between two instants; returns the newcomers among the visitors."""
        batch = child_keys(self._key, "batch", [self._batches])
        self._batches += 1
        seconds = (end - begin) / SECOND
        slots = child_keys(batch, "second", np.arange(int(np.ceil(seconds))))
        count = int(poisson(slots, "visits", self._visits_per_second * seconds / len(slots)).sum())
        keys = child_keys(batch, "visit", np.arange(count))
        starts = begin + (between(keys, "start", 0, 1) * (end - begin)).astype(np.int64)
        chosen = self._choose(keys)
        is_new = happens(keys, "newcomer", NEWCOMER_CHANCE) & (begin >= self.now)
        numbers = self._regulars[chosen]
        numbers[is_new] = self._new_numbers(int(is_new.sum()))
        persons = self._visitors(numbers, is_new, starts)
        sessions = self._visits(keys, persons, self._buying[chosen], starts)
        events, orders, lines = visits_and_orders(self.config, self._catalogue, persons, sessions)
        self._events = np.concatenate([self._events, events])
        self._orders = np.concatenate([self._orders, orders])
        self._lines = np.concatenate([self._lines, lines])
        chats = chat_questions(sessions, persons, self._catalogue)
        reviews = remarks(sessions, persons, self._catalogue, _REMARK_CHANCE)
        self._feedback = np.concatenate([self._feedback, chats, reviews])
        return persons.take(np.flatnonzero(is_new))

    def _new_numbers(self, count: int) -> Ints:
        numbers = self._start_second + self._joined + np.arange(count)
        self._joined += count
        return _FIRST_NEWCOMER + numbers % _NEWCOMERS

    def _visitors(self, numbers: Ints, is_new: np.ndarray, starts: Ints) -> Persons:
        persons = draw_persons(self.config, numbers)
        return replace(
            persons,
            signed_up=np.where(is_new, starts, persons.signed_up),
            joined=np.where(is_new, starts, persons.joined),
            second_ref=np.where(is_new, -1, persons.second_ref),
        )

    def _visits(self, keys: np.ndarray, persons: Persons, buying: np.ndarray, starts: Ints) -> Rows:
        visits = empty_rows(
            len(keys), SESSION, key=keys, person=np.arange(len(keys)), start=starts,
            week=self.config.weeks - 1,
            channel=pick(keys, "channel", traits("channels")[persons.persona]),
        )  # fmt: skip
        buys = happens(keys, "buys", buying)
        looking = look(visits[~buys], persons)
        looking["kind"] = np.where(happens(looking["key"], "abandons", 0.2), ABANDON, BROWSE)
        visits = np.concatenate([shop(visits[buys]), looking])
        return equip_sessions(self.config, persons, visits)

    def _take_due(self, until: int) -> tuple[Rows, Rows, Rows, Rows]:
        """Take out what happens before `until`; an order takes its lines along."""
        due = self._orders[self._orders["time"] < until]
        self._orders = self._orders[self._orders["time"] >= until]
        goes_along = np.isin(self._lines["order_key"], due["key"])
        lines, self._lines = self._lines[goes_along], self._lines[~goes_along]
        events = self._events[self._events["time"] < until]
        self._events = self._events[self._events["time"] >= until]
        feedback = self._feedback[self._feedback["time"] < until]
        self._feedback = self._feedback[self._feedback["time"] >= until]
        return in_time(events), in_time(due), lines, in_time(feedback)


def shares_of_visits(weights: np.ndarray, most: float) -> np.ndarray:
    """Shares in proportion to the weights of which none is above `most`.

    Where that cannot be, all with a weight have the same.
    """
    coming = weights > 0
    if most * coming.sum() <= 1:
        return np.asarray(coming / coming.sum())
    shares = np.asarray(weights / weights.sum())
    while shares.max() > most * (1 + 1e-9):
        is_full = shares >= most
        left = 1 - most * is_full.sum()
        shares = np.where(is_full, most, shares * (left / shares[~is_full].sum()))
    return shares
