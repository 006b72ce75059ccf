"""Processes of this machine: whether one is still there, and who of them computes first."""

import multiprocessing
import os
import time
from pathlib import Path

CLOCK_TOLERANCE_SECONDS = 60.0
GONE = ("Z", "X")
BACKGROUND_NICENESS = 10
"""A process of niceness 0 gets nine times the processor of one of 10, where both want all of it."""


def is_alive(pid: int, seen_at: float) -> bool:
    """Whether the process that had a number at an instant still runs.

    A process with that number that began later is another one, and one that has ended counts as
    gone though nobody has asked yet how it ended: the first process of a container may never ask.

    Parameters
    ----------
    seen_at
        Wall clock, seconds since 1970.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is there, and somebody else's
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return True  # this system does not tell more
    state, *fields = status.rpartition(")")[2].split()
    began_at = time.time() - uptime + int(fields[18]) / os.sysconf("SC_CLK_TCK")
    return state not in GONE and began_at <= seen_at + CLOCK_TOLERANCE_SECONDS


def step_back() -> None:
    """Let others compute first, from now on to the end of this process.

    No process may take that back. So one that does more than a single run, such as a shell's or a
    test's, stays as it is.
    """
    if multiprocessing.parent_process() is not None:
        niceness = max(os.getpriority(os.PRIO_PROCESS, 0), BACKGROUND_NICENESS)
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
