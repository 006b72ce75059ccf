"""Snapshots of the lake that processes read from now: upkeep leaves them and their files alone.

A hold is a locked file that names the snapshot; the operating system frees it when its process
dies.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

SUFFIX = ".hold"


@contextmanager
def hold(folder: Path, snapshot: int) -> Iterator[None]:
    """Keep a snapshot for as long as the block lasts, in a folder that upkeep looks into."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{snapshot}.{os.getpid()}.{uuid.uuid4().hex}{SUFFIX}"
    with FileLock(path, thread_local=False):
        try:
            yield
        finally:
            path.unlink()


def held(folder: Path) -> set[int]:
    """Snapshots that are held; what dead processes left is deleted on the way."""
    found: set[int] = set()
    for path in folder.glob(f"*{SUFFIX}"):
        try:
            with FileLock(path, timeout=0):
                path.unlink(missing_ok=True)
        except Timeout:
            found.add(int(path.name.split(".")[0]))
    return found
