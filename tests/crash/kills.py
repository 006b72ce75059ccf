"""Kill a process at seeded random moments of its work, let it be started again, and look."""

import json
import random
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field

from tests.crash.fork_server import Child

RESUME_SECONDS = 5.0
AGAIN = 0.3
BUSY = 4  # on a machine where an undisturbed start takes long as well


@dataclass
class Tally:
    """What was killed where.

    Attributes
    ----------
    places
        Kills by the function of the product in which they fell.
    resumed
        Seconds from the start of the next process, without that of Python, to its taking up work.
    """

    scenario: str
    places: Counter[str] = field(default_factory=Counter)
    resumed: list[float] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.places.total()

    def as_property(self) -> str:
        """For the summary at the end of a test run (`tests/conftest.py`)."""
        return json.dumps([self.scenario, dict(self.places), max(self.resumed)])


@dataclass(frozen=True)
class Undisturbed:
    """Seconds of a run that nothing disturbs, and those until it had taken up work."""

    seconds: float
    taken_up: float


class Scenario(ABC):
    """A process that works and may be killed at any moment.

    A scenario of another process is one more small class: how to set its stage, how to start it,
    by what to see that it has taken up work, what holds once it is done.
    """

    name: str

    @abstractmethod
    def set_stage(self) -> None:
        """Make the home as it was before any work, with work waiting."""

    @abstractmethod
    def spawn(self) -> Child:
        """Start the process, as a deployment does at first and after every kill."""

    @abstractmethod
    def has_taken_up(self, child: Child) -> bool:
        """Whether a process has begun to work, seen from the outside."""

    @abstractmethod
    def check(self) -> None:
        """What holds once the work is done."""

    def finish(self, child: Child) -> None:
        """Wait until the work is done."""
        child.wait()


def measure(scenario: Scenario) -> Undisturbed:
    """One undisturbed run, which has to pass its own check."""
    scenario.set_stage()
    child = scenario.spawn()
    taken_up = _time_to_take_up(scenario, child)
    scenario.finish(child)
    seconds = time.monotonic() - child.started
    scenario.check()
    return Undisturbed(seconds, taken_up)


def kill_and_check(scenario: Scenario, seed: int, kills: int, usual: Undisturbed) -> Tally:
    """Kill so many times, over the duration of an undisturbed run; look after each.

    Three times in ten the process that goes on is killed as well before the work is done.
    """
    chance = random.Random(seed)
    tally = Tally(scenario.name)
    while tally.kills < kills:
        scenario.set_stage()
        child = scenario.spawn()
        while True:
            child.run_for(chance.uniform(0, usual.seconds))
            place = child.kill()
            child = scenario.spawn()
            taken_up = _time_to_take_up(scenario, child)
            if place is not None:
                tally.places[place] += 1
                tally.resumed.append(taken_up)
            if tally.kills >= kills or chance.random() >= AGAIN:
                break
        scenario.finish(child)
        scenario.check()
    assert max(tally.resumed) < max(RESUME_SECONDS, BUSY * usual.taken_up)
    return tally


def _time_to_take_up(scenario: Scenario, child: Child) -> float:
    while not child.is_over() and not scenario.has_taken_up(child):
        assert time.monotonic() - child.started < 10 * RESUME_SECONDS, child.log
        time.sleep(0.002)
    return time.monotonic() - child.started
