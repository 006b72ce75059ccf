"""Keeps readers out for the moments in which inlined rows become files.

DuckLake reads a SQLite catalog through more than one connection: a query that lists a table's files
before such a commit and reads its inlined rows after it finds neither (measured). No other commit
moves rows that a snapshot shows. Readers share a lock that costs microseconds and never wait for a
writer; the operating system frees it when a process dies.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.02


class ReaderGate:
    """The locks of one lake; ``gate`` lets whoever wants to be alone go before new readers."""

    def __init__(self, folder: Path) -> None:
        self._gate = folder / "readers.gate"
        self._readers = folder / "readers.lock"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Share the lake with other readers; waits only while somebody is `alone` in it."""
        with _opened(self._gate) as gate, _opened(self._readers) as readers:
            if gate is not None and readers is not None:
                fcntl.flock(gate, fcntl.LOCK_SH)
                fcntl.flock(readers, fcntl.LOCK_SH)
                fcntl.flock(gate, fcntl.LOCK_UN)
            yield

    @contextmanager
    def alone(self, patience: float) -> Iterator[bool]:
        """Keep new readers out and wait for those inside; false when they took too long."""
        with _opened(self._gate) as gate, _opened(self._readers) as readers:
            assert gate is not None
            assert readers is not None
            deadline = time.monotonic() + patience
            yield _exclusive(gate, deadline) and _exclusive(readers, deadline)


def _exclusive(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """A descriptor to lock; None on a lake that this user may not write to and nobody tidied."""
    descriptor: int | None = None
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)
    except OSError:
        if path.exists():
            descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)
