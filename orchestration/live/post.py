"""Who is the live worker: a post that one process holds, and that another can ask for.

Three file locks, which the operating system frees when a process dies: one for whoever warms up,
one for whoever is ready and waits, and the post itself. The holder leaves when somebody is ready.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

LOOK_SECONDS = 1.0
"""A look at a lock holds it for an instant."""


class PostTaken(RuntimeError):
    """Somebody else waits for the post already, or the holder does not leave."""


class Post:
    """The post of the live worker in one home."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._held = FileLock(folder / "worker.lock", thread_local=False)
        self._next = FileLock(folder / "next.lock", thread_local=False)
        self._coming = FileLock(folder / "coming.lock", thread_local=False)

    @contextmanager
    def coming(self) -> Iterator[None]:
        """Warm up, seen by whoever would start another.

        Raises
        ------
        PostTaken
        """
        try:
            self._coming.acquire(timeout=LOOK_SECONDS)
        except Timeout:
            raise PostTaken("another worker is warming up already") from None
        try:
            yield
        finally:
            self._coming.release()

    @contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Wait until the holder, if there is one, has left, and hold the post.

        Raises
        ------
        PostTaken
        """
        try:
            self._next.acquire(timeout=LOOK_SECONDS)
        except Timeout:
            raise PostTaken("another worker waits to take over already") from None
        try:
            self._held.acquire(timeout=patience)
        except Timeout:
            raise PostTaken(f"the worker did not hand over within {patience:.0f} s") from None
        finally:
            self._next.release()
        try:
            yield
        finally:
            self._held.release()

    def is_held(self) -> bool:
        """Whether a worker is at work; asked by others than the worker."""
        return _is_taken(self._held)

    def is_coming(self) -> bool:
        """Whether somebody warms up."""
        return _is_taken(self._coming)

    def is_wanted(self) -> bool:
        """Whether somebody is ready to take over."""
        return _is_taken(self._next)


def _is_taken(lock: FileLock) -> bool:
    if not Path(lock.lock_file).exists():
        return False
    with suppress(Timeout), FileLock(lock.lock_file, timeout=0):
        return False
    return True
