"""Append-only journals, one per entity, that become immutable files of the landing folder.

A line counts once `Journals.append` has returned: then it is on disk. A journal is moved into
landing by renaming it, so a line is in exactly one place at any moment, whatever dies.
"""

import mmap
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from collector.rows import with_every_column
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.landing import COLLECTED

SUFFIX = ".jsonl"
ARRIVAL_FORMAT = "arrived=%Y-%m-%dT%H"
OPENED_FORMAT = "%Y%m%dT%H%M%S%f"

# what makes a file's content durable; its times may follow later
_sync_content = getattr(os, "fdatasync", os.fsync)


@dataclass
class Journal:
    """An open journal.

    Attributes
    ----------
    durable
        Bytes that are on disk; what lies beyond was never acknowledged.
    opened
        Monotonic clock when it was opened, in seconds.
    """

    entity: str
    path: Path
    descriptor: int
    opened: float = field(default_factory=time.monotonic)
    durable: int = 0


class Journals:
    """The journals of one collector; not safe for several threads.

    Parameters
    ----------
    folder
        Where journals lie until they are rolled; on the file system of ``landing``.
    run
        Distinguishes this process from every other, in names of files.
    roll_seconds, roll_bytes
        Age and size at which a journal is moved into landing.
    """

    def __init__(
        self, folder: Path, landing: Path, run: str, roll_seconds: float, roll_bytes: int
    ) -> None:
        self._folder = folder
        self._landing = landing
        self._run = run
        self._roll_seconds = roll_seconds
        self._roll_bytes = roll_bytes
        self._open: dict[str, Journal] = {}
        self._closed: list[Journal] = []
        self._opened = 0
        self.rolled = 0
        make_durable_folder(folder)
        make_durable_folder(landing)

    def append(self, lines: Mapping[str, Sequence[bytes]]) -> None:
        """Write lines of several entities, and return when they are on disk.

        Raises
        ------
        OSError
            When that fails; then none of these lines is acknowledged, and those that were written
            are cut off before the journal is moved.
        """
        touched: list[Journal] = []
        try:
            for entity, encoded in lines.items():
                journal = self._open.get(entity)
                if journal is None:
                    journal = self._new(entity)
                    encoded = [with_every_column(entity, encoded[0]), *encoded[1:]]
                touched.append(journal)
                _write_whole(journal.descriptor, b"\n".join([*encoded, b""]))
            for journal in touched:
                _sync_content(journal.descriptor)
        except OSError:
            # after a failed sync the kernel may hold pages for clean: never sync these files again
            for journal in touched:
                self._close(journal)
            raise
        for journal in touched:
            journal.durable = os.fstat(journal.descriptor).st_size

    def roll(self, *, everything: bool = False) -> None:
        """Move journals that are old or large enough into landing.

        Raises
        ------
        OSError
            When one could not be moved; it is tried again the next time.
        """
        now = time.monotonic()
        for journal in list(self._open.values()):
            old = now - journal.opened >= self._roll_seconds
            if everything or old or journal.durable >= self._roll_bytes:
                self._close(journal)
        problem: OSError | None = None
        for journal in list(self._closed):
            try:
                self._land(journal.path, journal.entity, journal.durable)
                self._closed.remove(journal)
            except OSError as error:
                problem = error
        if problem is not None:
            raise problem

    def next_roll(self) -> float:
        """Seconds until a journal may be due; never more than the age at which one is."""
        opened = [journal.opened for journal in self._open.values()]
        if not opened:
            return self._roll_seconds
        return max(min(opened) + self._roll_seconds - time.monotonic(), 0.0)

    def recover(self) -> int:
        """Move the journals of a dead process into landing; gives how many there were.

        A last line without its end was never acknowledged, and is cut off.
        """
        left = [path for path in sorted(self._folder.glob(f"*{SUFFIX}")) if _entity(path)]
        for path in left:
            self._land(path, _entity(path), _whole_lines(path))
        return len(left)

    def _new(self, entity: str) -> Journal:
        self._opened += 1
        opened = datetime.now(UTC).strftime(OPENED_FORMAT)
        path = self._folder / f"{entity}.{opened}-{self._run}-{self._opened:08}{SUFFIX}"
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o640)
        sync_folder(self._folder)
        self._open[entity] = Journal(entity, path, descriptor)
        return self._open[entity]

    def _close(self, journal: Journal) -> None:
        """Take no more lines; the next `roll` moves what was acknowledged, and no more."""
        del self._open[journal.entity]
        os.close(journal.descriptor)
        self._closed.append(journal)

    def _land(self, path: Path, entity: str, durable: int) -> None:
        if path.stat().st_size > durable:
            _cut(path, durable)
        if durable == 0:
            path.unlink()
            return
        folder = self._landing / entity / datetime.now(UTC).strftime(ARRIVAL_FORMAT)
        make_durable_folder(folder)
        name = path.name.removeprefix(f"{entity}.")
        os.rename(path, folder / f"{COLLECTED}{name}")
        sync_folder(folder)
        sync_folder(self._folder)
        self.rolled += 1


def make_durable_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they are there after a loss of power too."""
    if folder.is_dir():
        return
    make_durable_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _entity(path: Path) -> str:
    """Entity of a journal, empty where a file is none."""
    name = path.name.partition(".")[0]
    return name if name in ENTITIES else ""


def _write_whole(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _whole_lines(path: Path) -> int:
    """How many bytes of a file are whole lines."""
    with path.open("rb") as stream:
        if os.fstat(stream.fileno()).st_size == 0:
            return 0
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.rfind(b"\n") + 1


def _cut(path: Path, size: int) -> None:
    with path.open("r+b") as stream:
        stream.truncate(size)
        os.fsync(stream.fileno())
