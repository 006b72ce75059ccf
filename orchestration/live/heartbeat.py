"""The sign of life of the live worker: a small file, written anew all the time.

A worker that ends as it should says so in it, so that an old one without such a word
means a worker that died.
"""

import json
import os
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from orchestration.settings import Settings

ALIVE_SECONDS = 60.0


@dataclass(frozen=True)
class Heartbeat:
    """What a live worker says of itself.

    Attributes
    ----------
    at
        ISO 8601 with its offset; written every few seconds between batches.
    batch_id
        The last batch that it published, or None before the first.
    batches
        Batches since it started.
    lag_seconds
        Of the last batch: from the arrival of its oldest file until readers saw it.
    version
        The code that it runs.
    leaving
        Why it ends as it should, or asks for a successor; empty while it does not.
    """

    run_id: str
    pid: int
    at: str
    batch_id: int | None
    batches: int
    lag_seconds: float | None
    version: str
    leaving: str = ""

    def age(self, now: datetime) -> float:
        """Seconds since it was written."""
        return (now - datetime.fromisoformat(self.at).astimezone(UTC)).total_seconds()

    def is_alive(self, now: datetime) -> bool:
        """Whether it is fresh, however the clock was set."""
        return abs(self.age(now)) < ALIVE_SECONDS


def heartbeat_path(values: Settings) -> Path:
    return values.root / "live" / "heartbeat.json"


def write_heartbeat(values: Settings, heartbeat: Heartbeat) -> None:
    """Replace the file in one step; nobody ever reads half of it."""
    path = heartbeat_path(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(heartbeat)), encoding="utf-8")
    draft.replace(path)


def read_heartbeat(values: Settings) -> Heartbeat | None:
    """The last sign of life, or None when there is none that can be read."""
    known = {one.name for one in fields(Heartbeat)}
    try:
        told = json.loads(heartbeat_path(values).read_text(encoding="utf-8"))
        return Heartbeat(**{name: value for name, value in told.items() if name in known})
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None
