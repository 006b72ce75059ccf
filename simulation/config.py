"""What a market is made from: its size, its seed and its period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from simulation.draws import Keys, child_keys

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY

_EVENTS_PER_CHUNK = 120_000
_CUSTOMERS_PER_CHUNK = 10_000


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of a UTC instant (naive instants are taken as UTC)."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@dataclass(frozen=True)
class MarketConfig:
    """Size, seed and period of one market. Times are microseconds since 1970, UTC.

    Parameters
    ----------
    customers : persons who join before the end, 100 to 1,000,000.
    events : rows of events to aim at; the market meets it within 10 %.
    seed : any whole number from 0; the same seed and sizes give the same market.
    end : last day of the market, included.
    days : length of the period in days, 60 to 3,650.
    customers_per_chunk : persons written per file; None derives it from the sizes. It changes
        how rows spread over files, never what the rows say.
    """

    customers: int = 20_000
    events: int = 1_000_000
    seed: int = 7
    end: date = date(2026, 9, 30)
    days: int = 540
    customers_per_chunk: int | None = None

    def __post_init__(self) -> None:
        if not 100 <= self.customers <= 1_000_000:
            raise ValueError(f"customers must be 100 to 1,000,000, not {self.customers:,}")
        if self.events < self.customers:
            raise ValueError(
                f"events must be at least one per customer ({self.customers:,}), "
                f"not {self.events:,}"
            )
        if not 60 <= self.days <= 3_650:
            raise ValueError(f"days must be 60 to 3,650, not {self.days:,}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, not {self.seed}")
        if self.customers_per_chunk is not None and self.customers_per_chunk < 1:
            raise ValueError(f"customers_per_chunk must be 1 or more: {self.customers_per_chunk}")

    @property
    def finish(self) -> int:
        """The first microsecond after the period."""
        return microseconds(datetime(self.end.year, self.end.month, self.end.day)) + DAY

    @property
    def start(self) -> int:
        """The first microsecond of the period."""
        return self.finish - self.days * DAY

    @property
    def weeks(self) -> int:
        """Weeks begun in the period; the last one may be cut short."""
        return -(-self.days // 7)

    @property
    def key(self) -> Keys:
        """The key that every other key of this market descends from (shape ())."""
        return child_keys(np.uint64(self.seed % 2**64), "market")

    @property
    def chunk(self) -> int:
        """Persons simulated at a time, so that one chunk holds a bounded number of events."""
        if self.customers_per_chunk is not None:
            return self.customers_per_chunk
        persons = _EVENTS_PER_CHUNK * self.customers // self.events
        return max(1, min(persons, _CUSTOMERS_PER_CHUNK))
