"""Kill -9 at seeded random moments: what was acknowledged is in raw, and once."""

import http.client
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestration.conservation import assert_conserved
from orchestration.lake import Lake
from tests.collector.collector_room import CollectorProcess
from tests.collector.lake_room import lake_of
from tests.crash.homes import settings_of
from tests.crash.kills import RESUME_SECONDS, Tally

CLIENTS = 4


@dataclass
class Client:
    """Sends as libraries do: the same message until it is acknowledged."""

    collector: CollectorProcess
    name: str
    acknowledged: dict[str, float] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    attempts: int = 0

    def messages(self) -> Iterator[list[dict[str, object]]]:
        number = 0
        while True:
            size = 1 if number % 3 else 5
            yield [
                {
                    "type": "identify" if index == 1 else "track",
                    "event": "x",
                    "userId": f"{self.name}-{number + index}",
                    "messageId": f"{self.name}-{number + index}",
                    "timestamp": "2024-05-01T10:00:00Z",
                    "traits": {"plan": "gold"},
                }
                for index in range(size)
            ]
            number += size

    def run(self, stop: threading.Event) -> None:
        for batch in self.messages():
            if stop.is_set():
                return
            while not self._try(batch):
                time.sleep(0.02)

    def _try(self, batch: list[dict[str, object]]) -> bool:
        self.attempts += 1
        try:
            answer = self.collector.post("/v1/batch", {"batch": batch})
        except (OSError, http.client.HTTPException):
            return False
        if answer.status != 200:
            self.refused.append(answer.status)
            return False
        now = time.monotonic()
        self.acknowledged.update({str(message["messageId"]): now for message in batch})
        return True


def kill_and_check(home: Path, seed: int, kills: int) -> Tally:
    """Kill a collector under load, then hold raw against what its clients were told."""
    chance = random.Random(seed)
    tally = Tally("collector")
    collector = CollectorProcess(home, {"SHOAL_COLLECTOR_ROLL_SECONDS": "0.05"})
    clients = [Client(collector, f"c{number}") for number in range(CLIENTS)]
    stop = threading.Event()
    threads = [threading.Thread(target=client.run, args=(stop,)) for client in clients]
    killed_at: list[float] = []
    try:
        collector.start()
        for thread in threads:
            thread.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.6))
            if chance.random() < 0.7:
                collector.kill_worker()
                tally.places["the process that answers"] += 1
            else:
                collector.end()  # both, as when a machine's service manager has to begin anew
                tally.places["supervisor and process"] += 1
                collector.launch()
            killed_at.append(time.monotonic())
            collector.wait_until_up()
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert collector.stop() == 0
    finally:
        stop.set()
        collector.end()
    assert [status for client in clients for status in client.refused] == []
    times = sorted(time for client in clients for time in client.acknowledged.values())
    for moment in killed_at:
        later = [time for time in times if time > moment]
        assert later
        tally.resumed.append(later[0] - moment)
    assert max(tally.resumed) < RESUME_SECONDS
    acknowledged = {name for client in clients for name in client.acknowledged}
    assert len(acknowledged) > 10 * kills
    with lake_of(home) as lake:
        lake.ingest()
        assert list(home.glob("collector/journal/*")) == []
        for table, key in (("events", "event_id"), ("customers", "customer_ref")):
            held = [name for (name,) in lake.rows(f"select {key} from raw.{table}")]
            assert len(held) == len(set(held))
            if table == "events":
                assert set(held) == acknowledged
        totals = lake.ledger()["events"]
        assert totals["rejected"] == 0
        assert totals["accepted"] == len(acknowledged)
        lake.ingest()
        assert lake.ledger()["events"] == totals
    assert_conserved(Lake.from_settings(settings_of(home)), home / "landing")
    return tally


def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    tally = kill_and_check(tmp_path / "home", seed=6, kills=5)
    record_property("kills", tally.as_property())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_so_it_is_at_many_other_moments(
    tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    tally = kill_and_check(tmp_path / "home", seed=100 + seed, kills=12)
    record_property("kills", tally.as_property())
