"""Anomalies of customers and visitors: what was seen, how unusual it is, since when, which rows.

A rule looks at the events of some visitors and finds runs: stretches of time in which its condition
holds. What holds at an instant depends on the rows up to that instant alone, so a rule says the
same of a run whether it sees it while it goes on or long after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

Instants = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
SAMPLE_ROWS = 20

EVENT_COLUMNS = (
    "event_id",
    "visitor_key",
    "customer_key",
    "anonymous_key",
    "occurred_at",
    "event_type",
    "event_value",
    "country",
)


@dataclass(frozen=True)
class Finding:
    """One run of one kind of anomaly, of one customer, visitor or metric.

    Attributes
    ----------
    kind : what it is, such as ``account_takeover``.
    subject : whose: a customer's or visitor's key, or the name of a metric.
    severity : ``critical``, ``high`` or ``medium``.
    score : how many times the least that is told, 1 and above.
    unusual : the same in words.
    since, detected_at, last_seen_at : when it began, when it could first be told, and the newest
        row that belongs to it.
    rows : identifiers of events that show it, at most `SAMPLE_ROWS`.
    message : one sentence for people.
    """

    kind: str
    subject: str
    severity: str
    score: float
    unusual: str
    since: pd.Timestamp
    detected_at: pd.Timestamp
    last_seen_at: pd.Timestamp
    message: str
    rows: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Visits:
    """Events in order of visitor and time, as arrays.

    Attributes
    ----------
    events : DataFrame
        `EVENT_COLUMNS`, sorted, with a fresh index.
    visitor : array of int, shape (rows,)
        Number of the visitor.
    at : array of int, shape (rows,)
        Nanoseconds since 1970.
    """

    events: pd.DataFrame
    visitor: Instants
    at: Instants

    def where(self, chosen: Flags) -> Visits:
        """Only some of the rows."""
        return Visits(
            self.events[chosen].reset_index(drop=True), self.visitor[chosen], self.at[chosen]
        )

    def of_type(self, *types: str) -> Visits:
        """Only the events of some types."""
        return self.where(self.events["event_type"].isin(types).to_numpy())

    def rows_between(self, visitor: int, first: int, last: int) -> npt.NDArray[np.int64]:
        """Rows of a visitor from one instant to another, both included."""
        begin, end = np.searchsorted(self.visitor, [visitor, visitor + 1])
        at = self.at[begin:end]
        return np.arange(
            begin + np.searchsorted(at, first), begin + np.searchsorted(at, last, side="right")
        )

    def first_within(self, nanoseconds: int) -> Instants:
        """For every row, the first row of its visitor that is less than so long before it."""
        first = np.empty(len(self.at), dtype=np.int64)
        visitors, instants, start = self.visitor.tolist(), self.at.tolist(), 0
        for row, (visitor, at) in enumerate(zip(visitors, instants, strict=True)):
            while visitors[start] != visitor or instants[start] <= at - nanoseconds:
                start += 1
            first[row] = start
        return first


def visits(events: pd.DataFrame) -> Visits:
    """Order events by visitor and time; rows without a visitor are left out."""
    known = events[events["visitor_key"].notna()]
    visitor, _ = pd.factorize(known["visitor_key"], sort=True)
    at = known["occurred_at"].to_numpy().astype("datetime64[ns]").astype(np.int64)
    order = np.lexsort((known["event_id"].to_numpy(dtype=object).astype(str), at, visitor))
    ordered = known.iloc[order].reset_index(drop=True)
    return Visits(ordered, visitor.astype(np.int64)[order], at[order])


def runs(seen: Visits, holds: Flags, gap: int) -> list[npt.NDArray[np.int64]]:
    """Rows at which a condition holds, grouped while a visitor's are at most a gap apart."""
    rows = np.flatnonzero(holds)
    if len(rows) == 0:
        return []
    apart = (np.diff(seen.visitor[rows]) != 0) | (np.diff(seen.at[rows]) > gap)
    return np.split(rows, np.flatnonzero(apart) + 1)


def instant(nanoseconds: int) -> pd.Timestamp:
    """The UTC instant, without a time zone."""
    return pd.Timestamp(int(nanoseconds))


def sample(ids: pd.Series) -> tuple[str, ...]:
    """The earliest of some identifiers, at most `SAMPLE_ROWS`."""
    return tuple(ids.astype(str).head(SAMPLE_ROWS))


Rule = Callable[[Visits], list[Finding]]


def customer_findings(events: pd.DataFrame, rules: Sequence[Rule]) -> list[Finding]:
    """What the rules find in the events of some visitors, in order of time.

    Parameters
    ----------
    events : DataFrame
        `EVENT_COLUMNS`: all events of the visitors from some instant on, so long before what is
        asked about that every window is whole.
    """
    seen = visits(events)
    found = [finding for rule in rules for finding in rule(seen)]
    return sorted(found, key=lambda finding: (finding.detected_at, finding.kind, finding.subject))
