"""An idle connection to the lake's SQLite catalog, in a process of its own.

DuckDB opens the catalog for every transaction and closes it after it. Whoever closes it last writes
its log back and deletes it, and the next one makes it anew; whoever comes meanwhile tries again,
and DuckDB's SQLite, which is built without `usleep`, waits a whole second before it does. While
somebody has it open nobody is first or last.

Not a connection of this process: when a process closes any of its descriptors of a file, the
system forgets all of its locks on that file, those of DuckDB's SQLite included
(https://www.sqlite.org/howtocorrupt.html, section 2.2).
"""

import subprocess
import sys
from pathlib import Path

OPENED = b"open\n"
IDLE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], uri=True)
connection.execute("select 1 from sqlite_master").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


class CatalogHolder:
    """Keeps a catalog open until it is released, or until this process ends, however it does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def hold(self, catalog: Path) -> None:
        """Open a catalog; one that is not there, or is damaged, is left to those who need it."""
        if self._process is not None or not catalog.exists():
            return
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", IDLE, f"{catalog.absolute().as_uri()}?mode=rw"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def process_id(self) -> int | None:
        return None if self._process is None else self._process.pid

    def wait(self) -> bool:
        """Whether the catalog is open, once that is known."""
        if self._process is None or self._process.stdout is None:
            return False
        return self._process.stdout.readline() == OPENED

    def release(self) -> None:
        """Let go of the catalog."""
        if self._process is not None:
            self._process.communicate()
            self._process = None
