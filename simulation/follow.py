"""A live feed into the landing folder: small whole files, batch after batch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from simulation.config import MarketConfig, microseconds
from simulation.live import LiveFeed
from simulation.writer import land


def follow(
    config: MarketConfig,
    landing: Path,
    *,
    rate: float,
    batch_seconds: float,
    clock: Callable[[], datetime],
    wait: Callable[[float], None],
    seconds: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Continue a market until `seconds` have passed, or for ever.

    Parameters
    ----------
    rate : events per second to aim at.
    batch_seconds : time between two batches; each entity with news gets one file per batch.
    clock : gives the present UTC instant; `wait` lets a number of seconds pass.
    progress : told after each batch how many rows of events it wrote.

    Returns
    -------
    Number of events written. An interrupt between two files leaves only whole files.
    """
    if batch_seconds <= 0:
        raise ValueError(f"batch_seconds must be above 0, not {batch_seconds}")
    start = clock()
    feed = LiveFeed(config, rate, microseconds(start))
    total = 0
    due = start
    while seconds is None or due < start + timedelta(seconds=seconds):
        due += timedelta(seconds=batch_seconds)
        wait(max(0.0, (due - clock()).total_seconds()))
        now = clock()
        if microseconds(now) <= feed.now:
            continue
        tables = feed.advance(microseconds(now))
        for entity, table in tables.items():
            name = f"simulated-{config.seed}-live-{now:%Y%m%dT%H%M%S%f}"
            land(table, landing, entity, now, name)
        total += tables["events"].num_rows
        if progress is not None:
            progress(tables["events"].num_rows)
    return total
