"""Group commit: requests that come while the disk is busy share the next sync."""

import asyncio
import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.journal import Journals
from collector.rows import Line

LOG = logging.getLogger("collector")
LOOK_AT_DISK_SECONDS = 1.0
RETRY_BUSY_SECONDS = 1
RETRY_FULL_SECONDS = 30
EXIT_FAULT = 70  # EX_SOFTWARE of sysexits.h


class Busy(RuntimeError):
    """No more rows are taken for now.

    Attributes
    ----------
    retry_seconds
        After how long it is worth another try.
    """

    def __init__(self, reason: str, retry_seconds: int) -> None:
        super().__init__(reason)
        self.retry_seconds = retry_seconds


class NotWritten(RuntimeError):
    """The disk did not take the rows; none of them is kept."""


@dataclass
class Figures:
    """What the commits did so far.

    Attributes
    ----------
    commit_seconds, slowest_seconds, total_seconds
        Time of the last write with its sync, of the longest one, and of all.
    committed_at
        Wall clock of the last one, seconds since 1970.
    """

    commits: int = 0
    lines: int = 0
    failed_commits: int = 0
    last_failed: bool = False
    commit_seconds: float = 0.0
    slowest_seconds: float = 0.0
    total_seconds: float = 0.0
    committed_at: float | None = None


class GroupCommit:
    """Writes the rows of many requests with one sync, in one thread.

    Parameters
    ----------
    queue_bytes
        Most bytes of requests under way; beyond it requests are turned away.
    min_free_bytes
        Free space below which requests are turned away.
    """

    def __init__(
        self, journals: Journals, folder: Path, queue_bytes: int, min_free_bytes: int
    ) -> None:
        self._journals = journals
        self._folder = folder
        self._queue_bytes = queue_bytes
        self._min_free_bytes = min_free_bytes
        self._lines: dict[str, list[bytes]] = defaultdict(list)
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._task: asyncio.Task[None] | None = None
        self._looked_at_disk = -LOOK_AT_DISK_SECONDS
        self.queued_bytes = 0
        self.queued_requests = 0
        self.free_bytes = 0
        self.figures = Figures()

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._look_at_disk()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_end_process_on_fault)

    async def stop(self) -> None:
        """Write what waits, move every journal into landing, and end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    @property
    def state(self) -> str:
        """``ok``, or why requests are turned away now."""
        if self.free_bytes < self._min_free_bytes:
            return "the disk is nearly full"
        return "the last write failed" if self.figures.last_failed else "ok"

    @contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Keep room for a request of so many bytes until it is answered.

        Raises
        ------
        Busy
            When requests under way, most of which wait for the disk, fill the queue, or the disk
            is nearly full.
        """
        if self.queued_bytes + size > self._queue_bytes:
            raise Busy("the queue to the disk is full", RETRY_BUSY_SECONDS)
        if self.free_bytes < self._min_free_bytes:
            raise Busy("the disk is nearly full", RETRY_FULL_SECONDS)
        self.queued_bytes += size
        self.queued_requests += 1
        try:
            yield
        finally:
            self.queued_bytes -= size
            self.queued_requests -= 1

    async def write(self, lines: Sequence[Line]) -> None:
        """Return when the lines are on disk.

        Raises
        ------
        NotWritten
            When they are not.
        """
        for entity, encoded in lines:
            self._lines[entity].append(encoded)
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._wake.set()
        await done

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wait()
            lines, self._lines = self._lines, defaultdict(list)
            waiting, self._waiting = self._waiting, []
            stopping = self._stopping and not self._lines
            await loop.run_in_executor(self._thread, self._work, lines, waiting, stopping)
            if stopping and not self._lines:
                return

    async def _wait(self) -> None:
        """Wait for lines, or until a journal may be due or the disk is to be looked at."""
        if not self._stopping and not self._lines:
            seconds = min(self._journals.next_roll(), LOOK_AT_DISK_SECONDS)
            try:
                await asyncio.wait_for(self._wake.wait(), seconds)
            except TimeoutError:
                return
        self._wake.clear()

    def _work(
        self, lines: dict[str, list[bytes]], waiting: list["asyncio.Future[None]"], last: bool
    ) -> None:
        """Write one group, answer it, and roll what is due; runs in the thread."""
        if lines:
            problem = self._commit(lines)
            waiting[0].get_loop().call_soon_threadsafe(_answer, waiting, problem)
        try:
            self._journals.roll(everything=last)
        except OSError as error:
            LOG.error("a journal cannot be moved into landing, to be tried again: %s", error)
        if time.monotonic() - self._looked_at_disk >= LOOK_AT_DISK_SECONDS:
            self._look_at_disk()

    def _commit(self, lines: dict[str, list[bytes]]) -> NotWritten | None:
        started = time.perf_counter()
        problem: NotWritten | None = None
        try:
            self._journals.append(lines)
        except OSError as error:
            LOG.error("%d lines not written: %s", sum(map(len, lines.values())), error)
            problem = NotWritten(str(error))
        figures = self.figures
        figures.commit_seconds = time.perf_counter() - started
        figures.slowest_seconds = max(figures.slowest_seconds, figures.commit_seconds)
        figures.total_seconds += figures.commit_seconds
        figures.last_failed = problem is not None
        if problem is None:
            figures.commits += 1
            figures.lines += sum(map(len, lines.values()))
            figures.committed_at = time.time()
        else:
            figures.failed_commits += 1
        return problem

    def _look_at_disk(self) -> None:
        status = os.statvfs(self._folder)
        self.free_bytes = status.f_bavail * status.f_frsize
        self._looked_at_disk = time.monotonic()


def _end_process_on_fault(task: "asyncio.Task[None]") -> None:
    """Let the supervisor start anew: without this task no request would ever be answered."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        LOG.critical("the journals' task failed, the process ends", exc_info=fault)
        os._exit(EXIT_FAULT)


def _answer(waiting: list["asyncio.Future[None]"], problem: NotWritten | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if problem is None:
            done.set_result(None)
        else:
            done.set_exception(problem)
