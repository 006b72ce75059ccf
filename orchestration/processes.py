"""Whether a process of this machine is still there."""

import os
import time
from pathlib import Path

CLOCK_TOLERANCE_SECONDS = 60.0
GONE = ("Z", "X")


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
