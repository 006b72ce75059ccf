"""The processes that are killed: see `tests.crash.kills` for what becomes of them."""

import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from orchestration.ingestion.landing import scan
from orchestration.lake import Lake
from tests.collector.lake_room import lake_of
from tests.crash.fork_server import PATIENCE_SECONDS, Child, ForkServer
from tests.crash.homes import assert_whole, fingerprint, put_back, settings_of
from tests.crash.kills import Scenario

POLL_SECONDS = 0.05


@dataclass
class LakeWork(Scenario):
    """Work on the lake of a home: the first run, which nothing disturbs, says what has to be."""

    name: str
    server: ForkServer
    template: Path
    home: Path
    work: str
    expected: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def set_stage(self) -> None:
        put_back(self.template, self.home)

    def spawn(self) -> Child:
        return self.server.spawn(self.work)

    def has_taken_up(self, child: Child) -> bool:
        """It holds the writer lease."""
        holder = Lake.from_settings(settings_of(self.home)).lease_path.with_suffix(".holder")
        try:
            return bool(json.loads(holder.read_text())["pid"] == child.pid)
        except (FileNotFoundError, json.JSONDecodeError):
            return False

    def check(self) -> None:
        if not self.expected:
            self.expected |= fingerprint(self.home)
        assert_whole(self.home, self.expected)
        lake = Lake.from_settings(settings_of(self.home))
        assert lake.lease_holder() == "free"
        with lake.reader(latest=True) as connection:
            waiting = "select count(*) from ops.batches where snapshot_id is null"
            taken = connection.execute("select count(*) from ops.landed_files").fetchone()
            unpublished = connection.execute(waiting).fetchone()
        assert taken == (len(scan(self.home / "landing")[0]),)
        if self.work != "ingest":
            assert unpublished == (0,)


@dataclass
class Worker(LakeWork):
    """The live worker, which would go on for ever: it is killed once everything is published."""

    def finish(self, child: Child) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_done():
            assert not child.is_over(), child.log
            assert time.monotonic() < deadline, child.log
            time.sleep(POLL_SECONDS)
        child.kill()

    def _is_done(self) -> bool:
        files, _ = scan(self.home / "landing")
        with Lake.from_settings(settings_of(self.home)).reader(latest=True) as connection:
            counts = connection.execute(
                "select (select count(*) from ops.landed_files), "
                "(select count(*) from ops.batches where snapshot_id is null)"
            ).fetchone()
        return counts == (len(files), 0)


@dataclass
class Handover(Worker):
    """Two workers, of which one takes over from the other; either may be killed."""

    chance: random.Random = field(default_factory=lambda: random.Random(4))
    other: Child | None = None

    def set_stage(self) -> None:
        self._end_other()
        super().set_stage()

    def spawn(self) -> Child:
        """Start one beside the one that is left, if one is; gives the one to be killed."""
        fresh = super().spawn()
        pair = [fresh] if self.other is None or self.other.is_over() else [fresh, self.other]
        if len(pair) == 1:
            pair.append(super().spawn())
        self.chance.shuffle(pair)
        chosen, self.other = pair
        chosen.started = time.monotonic()
        return chosen

    def has_taken_up(self, child: Child) -> bool:
        assert self.other is not None
        return super().has_taken_up(child) or super().has_taken_up(self.other) or self._is_done()

    def finish(self, child: Child) -> None:
        """One of the two is left at work, the other was relieved or came too late."""
        assert self.other is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._is_done():
            if child.is_over() and self.other.is_over():
                child = super().spawn()  # both were told that the other one comes
            assert time.monotonic() < deadline, child.log + self.other.log
            time.sleep(POLL_SECONDS)
        child.kill()
        self._end_other()

    def _end_other(self) -> None:
        if self.other is not None:
            self.other.kill()


@dataclass
class Lease(LakeWork):
    """Small commits under the lease, one after another; the next process gets it at once."""

    seconds: float = 0.4

    def spawn(self) -> Child:
        return self.server.spawn(self.work, seconds=self.seconds)


@dataclass
class Landing(Scenario):
    """``shoal land``: a visible file is whole, and nothing else is left."""

    name: str
    server: ForkServer
    home: Path
    export: Path
    expected: dict[str, int] = field(default_factory=dict)

    def set_stage(self) -> None:
        put_back(self.export.parent, self.home)

    def spawn(self) -> Child:
        return self.server.spawn("land", mapping="online_retail", source=str(self.export))

    def has_taken_up(self, child: Child) -> bool:
        return any((self.home / "landing").glob("*/*/*"))

    def check(self) -> None:
        files = [path for path in (self.home / "landing").rglob("*") if path.is_file()]
        assert [path for path in files if path.name.startswith(".")] == []
        rows = {}
        for path in files:
            entity = path.parent.parent.name
            assert entity not in rows, "an entity was landed twice"
            found = duckdb.sql(f"select count(*) from read_parquet('{path}')").fetchone()
            assert found is not None
            rows[entity] = found[0]
        self.expected = self.expected or rows
        assert rows == self.expected


@dataclass
class Journal(Scenario):
    """A collector's journals while they are filled and rolled: what was acknowledged is in raw."""

    name: str
    server: ForkServer
    home: Path
    empty: Path

    def set_stage(self) -> None:
        put_back(self.empty, self.home)

    def spawn(self) -> Child:
        return self.server.spawn("journal", roll_seconds=0.01, size=4_000)

    def has_taken_up(self, child: Child) -> bool:
        path = self.home / f"acknowledged.{child.pid}"
        return path.exists() and path.stat().st_size > 0

    def finish(self, child: Child) -> None:
        """It would go on for ever: it is killed like the others, and the next one drains."""
        child.run_for(0.1)
        child.kill()
        self.server.spawn("recover_journals").wait()

    def check(self) -> None:
        acknowledged: set[str] = set()
        for path in self.home.glob("acknowledged.*"):
            for line in path.read_bytes().split(b"\n")[:-1]:
                acknowledged |= set(json.loads(line))
        assert acknowledged
        assert list(self.home.glob("collector/journal/*")) == []
        with lake_of(self.home) as lake:
            lake.ingest()
            held = [key for (key,) in lake.rows("select event_id from raw.events")]
            totals = lake.ledger()["events"]
        assert len(held) == len(set(held))
        assert acknowledged <= set(held)
        assert totals["rejected"] == totals["duplicates"] == 0
