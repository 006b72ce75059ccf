"""The wall clock steps back and forth: nothing is lost, nothing waits for it."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.conservation import assert_conserved
from orchestration.lake import Lake
from tests.collector.collector_room import running
from tests.collector.lake_room import lake_of
from tests.crash.fork_server import Child, ForkServer
from tests.crash.homes import make, put_back, settings_of, write_history
from tests.crash.kills import kill_and_check, measure
from tests.crash.scenarios import LakeWork
from tests.crash.stepped_clock import SteppedClock

HOUR, DAY = 3_600, 86_400
ROLL_SECONDS = 0.05
STEPS = (HOUR, -HOUR, 400 * DAY, -2 * DAY, 90, 0)


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    return SteppedClock.make(tmp_path / "clock")


def test_a_collector_takes_everything_once(clock: SteppedClock, tmp_path: Path) -> None:
    """Arrival hours of the future and of the past are taken now, each row once."""
    home = tmp_path / "home"
    given = {**clock.environment, "SHOAL_COLLECTOR_ROLL_SECONDS": str(ROLL_SECONDS)}
    sent = []
    with running(home, **given) as collector:
        for step in STEPS:
            clock.step_to(step)
            for number in range(20):
                name = f"{step} {number}"
                row = {"event_id": name, "occurred_at": "2024-01-01", "event_type": "x"}
                assert collector.post("/v1/events", row).status == 200
                sent.append(name)
            time.sleep(4 * ROLL_SECONDS)  # so that every step has a file of its own
        assert collector.stop() == 0
    with lake_of(home) as lake:
        lake.ingest()
        held = [key for (key,) in lake.rows("select event_id from raw.events")]
        hours = lake.rows("select distinct partition_key from ops.landed_files")
    assert sorted(held) == sorted(sent)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H}"
    arrived = [path.name for path in (home / "landing" / "events").iterdir()]
    assert max(arrived) > f"arrived={now}"
    assert max(hour for (hour,) in hours) <= now
    outcome = assert_conserved(Lake.from_settings(settings_of(home)), home / "landing")
    assert outcome.totals == {
        "received": len(sent),
        "accepted": len(sent),
        "duplicates": 0,
        "rejected": 0,
    }


@dataclass
class UnderSteps(LakeWork):
    """Every process finds another time on the clock, and some live through a step."""

    clock: SteppedClock | None = None
    chance: random.Random | None = None

    def spawn(self) -> Child:
        assert self.clock is not None
        assert self.chance is not None
        self.clock.step_to(self.chance.choice(STEPS))
        return super().spawn()

    def has_taken_up(self, child: Child) -> bool:
        assert self.clock is not None
        assert self.chance is not None
        has_taken_up = super().has_taken_up(child)
        if has_taken_up:
            self.clock.step_to(self.chance.choice(STEPS))
        return has_taken_up


@pytest.fixture
def server(tmp_path: Path, clock: SteppedClock) -> Iterator[ForkServer]:
    server = ForkServer(tmp_path / "home", clock.environment)
    yield server
    server.close()


@pytest.mark.slow
def test_batches_are_the_same_under_any_clock_and_kills(
    server: ForkServer, clock: SteppedClock, tmp_path: Path, record_property: Any
) -> None:
    home, template = tmp_path / "home", tmp_path / "template"
    write_history(home, 1, 0, 4_000, "history")
    make(server, "make_home", home)
    write_history(home, 2, 4_000, 2_000, "batch")
    put_back(home, template)
    scenario = UnderSteps("clock steps", server, template, home, "increment")
    scenario.clock, scenario.chance = clock, random.Random(5)
    tally = kill_and_check(scenario, 7, 8, measure(scenario))
    record_property("kills", tally.as_property())
