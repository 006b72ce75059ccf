"""Which files have come into landing, told by the operating system as they come."""

import threading
from collections.abc import Generator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from watchfiles import Change, watch

from orchestration.ingestion.files import LandedFile
from orchestration.ingestion.landing import is_settled, landed_file
from orchestration.partitions import known_hour

LOOK_MILLISECONDS = 250
GROUP_MILLISECONDS = 50


class LandingWatch:
    """Files to take, without looking through all of landing each time.

    What the operating system failed to tell (a folder that was new, a full queue) is found by
    whoever compares landing with the ledger now and then.
    """

    def __init__(self, landing: Path, settle_seconds: float) -> None:
        self._landing = landing.resolve()
        self._settle_seconds = settle_seconds
        self._open: dict[Path, None] = {}
        self._stop = threading.Event()
        self._changes = self._watched()

    def look(self) -> list[LandedFile]:
        """Wait for a moment, and give the files that came and are whole, oldest first."""
        self._note(next(self._changes))
        now = datetime.now(UTC)
        ready: list[LandedFile] = []
        for path in list(self._open):
            file = landed_file(self._landing, path)
            if file is None or is_settled(file, now, self._settle_seconds):
                del self._open[path]
            if file is not None and path not in self._open:
                ready.append(replace(file, partition_key=known_hour(file.partition_key, now)))
        return sorted(ready, key=lambda file: file.mtime_ns)

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._changes.close()

    def _watched(self) -> Generator[set[tuple[Change, str]], None, None]:
        yield from watch(
            self._landing,
            watch_filter=None,
            step=GROUP_MILLISECONDS,
            debounce=4 * GROUP_MILLISECONDS,
            rust_timeout=LOOK_MILLISECONDS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=True,
            ignore_permission_denied=True,
        )

    def _note(self, changes: set[tuple[Change, str]]) -> None:
        for change, name in changes:
            path = Path(name)
            if change == Change.deleted:
                continue
            if path.is_dir():  # what was put into a new folder before it was watched
                self._open |= dict.fromkeys(sorted(path.rglob("*")))
            else:
                self._open[path] = None
