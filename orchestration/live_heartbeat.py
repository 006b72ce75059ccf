"""The sign of life of the live worker: a small file, written anew all the time.

A worker that ends as it should removes it, so that an old one means a worker that died.
"""

import json
import os
from dataclasses import asdict, dataclass
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
        ISO 8601 with its offset; written at least every ten seconds, also without a batch.
    batch_id
        The last batch that it published, or None before the first.
    batches
        Batches since it started.
    lag_seconds
        Of the last batch: from the arrival of its newest file until readers saw it.
    version
        The code that it runs.
    """

    pid: int
    at: str
    batch_id: int | None
    batches: int
    lag_seconds: float | None
    version: str

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


def remove_heartbeat(values: Settings) -> None:
    """Say that no live worker is meant to be there."""
    heartbeat_path(values).unlink(missing_ok=True)


def read_heartbeat(values: Settings) -> Heartbeat | None:
    """The last sign of life, or None when there is none that can be read."""
    try:
        return Heartbeat(**json.loads(heartbeat_path(values).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
