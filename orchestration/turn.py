"""The turn: the one right to carry batches through, and how a run shares it with the live worker.

Lake, worker and runs live by one rule: while nobody has the turn, whoever takes it next carries
through whatever is half done, from the tables to publication.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


class LeaseTimeout(RuntimeError):
    """Another process kept the writer lease, or the turn, for longer than allowed."""


@contextmanager
def turn(folder: Path, purpose: str, patience: float) -> Iterator[None]:
    """Hold the turn of the lake in a folder; whoever waits is next.

    Raises
    ------
    LeaseTimeout
        When it was not free within ``patience`` seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "turn.lock", thread_local=False)
    try:
        with FileLock(folder / "queue.lock").acquire(timeout=patience):
            lock.acquire(timeout=patience)
    except Timeout:
        raise LeaseTimeout(
            f"another run or the live worker carries batches through for longer than "
            f"{patience:.0f} s; gave up on: {purpose}"
        ) from None
    try:
        yield
    finally:
        lock.release()


class RunTurn:
    """The turn of a run: had from where a step first needs it until the run gives way.

    A run that never gives way keeps it to its end. Without a run it does nothing.
    """

    def __init__(self) -> None:
        self._purpose: str | None = None
        self._held = ExitStack()
        self._has_it = False

    def begin(self, purpose: str) -> None:
        """From now on `take` takes the turn."""
        self._purpose = purpose

    def take(self, folder: Path, patience: float) -> None:
        """Have the turn, if this is a run's and does not have it yet.

        Raises
        ------
        LeaseTimeout
        """
        if self._purpose is not None and not self._has_it:
            self._held.enter_context(turn(folder, self._purpose, patience))
            self._has_it = True

    def give_way(self) -> None:
        """Let whoever waits go first; the next look at the live edge takes the turn again."""
        self._held.close()
        self._has_it = False

    def end(self) -> None:
        """Give it back for good."""
        self._purpose = None
        self.give_way()
