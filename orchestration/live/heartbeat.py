"""What the live worker says of itself, for those who watch it."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True)
class Heartbeat:
    """The newest sign of life.

    Attributes
    ----------
    lag_seconds
        From the arrival of the oldest file of the last batch until its scores were published.
    version
        Hash of the code that runs.
    leaving
        Why a successor is asked for; empty while none is.
    """

    run_id: str
    pid: int
    at: str
    batch_id: int | None
    batches: int
    lag_seconds: float | None
    version: str
    leaving: str = ""

    def write(self, folder: Path) -> None:
        """Replace the last one."""
        draft = folder / f".heartbeat.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(folder / "heartbeat.json")


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """The newest sign of life, or None before the first."""
    path = folder / "heartbeat.json"
    return Heartbeat(**json.loads(path.read_text())) if path.exists() else None


def instant() -> str:
    """Now, as heartbeats say it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
