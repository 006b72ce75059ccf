"""Bursts are told in their first hour, never before, and steady talk is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ml.text_bursts import BurstSettings, find_bursts, tail_probability

BEGIN = datetime(2026, 3, 1)
DAYS = 60
BURST = BEGIN + timedelta(days=40, hours=9, minutes=20)


def talk(seed: int, rate: float = 0.1, subjects: int = 40) -> tuple[list[datetime], list[str]]:
    """A Poisson process of texts about some products."""
    rng = np.random.default_rng(seed)
    times, names = [], []
    for subject in range(subjects):
        count = rng.poisson(rate * 24 * DAYS)
        times += [BEGIN + timedelta(hours=float(h)) for h in rng.uniform(0, 24 * DAYS, count)]
        names += [f"product {subject}"] * count
    return times, names


@pytest.mark.parametrize("seed", range(5))
def test_a_burst_is_told_in_its_first_hour_and_never_before(seed: int) -> None:
    times, names = talk(seed)
    rng = np.random.default_rng(seed)
    times += [BURST + timedelta(minutes=float(m)) for m in rng.uniform(0, 180, 60)]
    names += ["product 7"] * 60
    found = find_bursts(times, names)
    first = next(burst for burst in found if burst.subject == "product 7")
    assert BURST <= first.noticed_at <= BURST + timedelta(hours=1)
    assert {times[row] for row in first.rows} >= {first.started_at, first.noticed_at}
    assert [burst.subject for burst in found if burst.noticed_at < BURST] == []


def test_steady_talk_raises_few_alarms() -> None:
    alarms = sum(len(find_bursts(*talk(seed))) for seed in range(20))
    years = 20 * DAYS / 365.25
    assert alarms <= 3 * years + 3


def test_a_busy_subject_is_not_judged_like_a_rare_one() -> None:
    times, names = talk(0, rate=20.0, subjects=1)
    assert find_bursts(times, names) == []
    rare, rare_names = talk(0, rate=0.02, subjects=1)
    crowd = [BURST + timedelta(minutes=m) for m in range(20)]
    assert len(find_bursts(rare + crowd, rare_names + ["product 0"] * 20)) == 1


def test_nothing_later_is_looked_at() -> None:
    times, names = talk(3)
    times += [BURST + timedelta(minutes=m) for m in range(30)]
    names += ["product 7"] * 30
    whole = find_bursts(times, names)
    until = [i for i, time in enumerate(times) if time <= BURST + timedelta(minutes=29)]
    cut = find_bursts([times[i] for i in until], [names[i] for i in until])
    known = [burst for burst in whole if burst.noticed_at <= BURST + timedelta(minutes=29)]
    assert [(b.subject, b.noticed_at, b.count) for b in cut] == [
        (b.subject, b.noticed_at, b.count) for b in known
    ]


def test_the_order_of_the_rows_does_not_matter() -> None:
    times, names = talk(1)
    times += [BURST + timedelta(minutes=m) for m in range(30)]
    names += ["product 7"] * 30
    shuffled = np.random.default_rng(0).permutation(len(times))
    other = find_bursts([times[i] for i in shuffled], [names[i] for i in shuffled])
    assert [b.noticed_at for b in other] == [b.noticed_at for b in find_bursts(times, names)]


def test_the_beginning_is_learnt_from_and_not_judged() -> None:
    times = [BEGIN + timedelta(minutes=m) for m in range(50)]
    assert find_bursts(times, ["new"] * 50) == []
    assert find_bursts(times, ["new"] * 50, observed_from=BEGIN - timedelta(days=30))


def test_no_texts_no_bursts() -> None:
    assert find_bursts(pd.Series([], dtype="datetime64[us]"), []) == []


def test_the_tail_falls_with_the_count_and_rises_with_the_rate() -> None:
    falling = [tail_probability(count, 2.0, 20.0, 1.5) for count in range(1, 12)]
    assert all(a > b for a, b in pairwise(falling))
    assert tail_probability(5, 40.0, 20.0) > tail_probability(5, 2.0, 20.0)
    assert tail_probability(0, 2.0, 20.0) == pytest.approx(1.0)
    assert BurstSettings().least >= 2
