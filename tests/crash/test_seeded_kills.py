"""Kill -9 at seeded random moments: nothing is lost, nothing is there twice, work goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crash.fork_server import ForkServer
from tests.crash.homes import make, put_back, write_export, write_history
from tests.crash.kills import Scenario, Tally, Undisturbed, kill_and_check, measure
from tests.crash.scenarios import Handover, Journal, LakeWork, Landing, Lease, Worker

FEW = {"ingest": 7, "land": 5, "journal": 8, "lease": 5}
MANY = {
    "ingest": 60,
    "land": 40,
    "journal": 40,
    "lease": 20,
    "increment": 20,
    "batch job": 20,
    "worker": 40,
    "handover": 20,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kills")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ForkServer]:
    server = ForkServer(folder / "home")
    yield server
    server.close()


class Stage:
    """The scenarios, made once each, with a run of each that nothing disturbs."""

    def __init__(self, server: ForkServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._made: dict[str, tuple[Scenario, Undisturbed]] = {}
        self._templates: dict[str, Path] = {}

    def of(self, name: str) -> tuple[Scenario, Undisturbed]:
        if name not in self._made:
            scenario = self._scenario(name)
            self._made[name] = (scenario, measure(scenario))
        return self._made[name]

    def _scenario(self, name: str) -> Scenario:
        server, home = self._server, self._folder / "home"
        if name == "land":
            export = self._folder / "export" / "online_retail.csv"
            write_export(export, seed=1, lines=20_000)
            return Landing(name, server, home, export)
        if name == "journal":
            return Journal(name, server, home, self._template("make_lake", 0, 0))
        if name == "lease":
            return Lease(name, server, self._template("make_lake", 0, 0), home, "hold_lease")
        if name == "ingest":
            return LakeWork(name, server, self._template("make_lake", 0, 10_000), home, "ingest")
        if name in ("worker", "handover"):
            kind = Worker if name == "worker" else Handover
            return kind(name, server, self._live_template(), home, "live_worker")
        work = {"increment": "increment", "batch job": "batch_job"}[name]
        return LakeWork(name, server, self._template("make_home", 4_000, 2_000), home, work)

    def _template(self, work: str, history: int, batch: int) -> Path:
        """A home with a history that was taken and a batch that waits, made in its place."""
        name = f"{work} {history} {batch}"
        if name not in self._templates:
            home = self._folder / "home"
            put_back(self._empty, home)
            if history:
                write_history(home, 1, 0, history, "history")
            make(self._server, work, home)
            if batch:
                write_history(home, 2, history, batch, "batch")
            self._templates[name] = self._folder / name
            put_back(home, self._templates[name])
        return self._templates[name]

    def _live_template(self) -> Path:
        """The same with the statements that a worker replays, recorded."""
        home, name = self._folder / "home", "recorded"
        if name not in self._templates:
            put_back(self._template("make_home", 4_000, 2_000), home)
            make(self._server, "record_increment", home)
            self._templates[name] = self._folder / name
            put_back(home, self._templates[name])
        return self._templates[name]

    @property
    def _empty(self) -> Path:
        empty = self._folder / "empty"
        empty.mkdir(exist_ok=True)
        return empty


@pytest.fixture(scope="module")
def stage(server: ForkServer, folder: Path) -> Stage:
    return Stage(server, folder)


def kill(
    stage: Stage, name: str, seed: int, kills: int, record_property: Callable[[str, object], None]
) -> Tally:
    scenario, usual = stage.of(name)
    tally = kill_and_check(scenario, seed, kills, usual)
    record_property("kills", tally.as_property())
    return tally


@pytest.mark.parametrize("name", list(FEW))
def test_a_kill_at_any_moment_loses_nothing(
    stage: Stage, name: str, record_property: Callable[[str, object], None]
) -> None:
    assert kill(stage, name, seed=6, kills=FEW[name], record_property=record_property).kills


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MANY))
def test_so_it_is_at_many_other_moments(
    stage: Stage, name: str, record_property: Callable[[str, object], None]
) -> None:
    tally = kill(stage, name, seed=60, kills=MANY[name], record_property=record_property)
    assert tally.kills == MANY[name]
