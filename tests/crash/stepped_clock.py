"""A wall clock that steps back and forth under running processes, by a library of 50 lines of C.

Put before the C library with ``LD_PRELOAD``, it is seen by Python, SQLite and DuckDB alike, and by
the processes that they start. Monotonic clocks and the times of files are the real ones.
"""

import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True)
class SteppedClock:
    """The clock of the processes that get its environment."""

    library: Path
    file: Path

    @classmethod
    def make(cls, folder: Path) -> "SteppedClock":
        """Compile it, where there is a compiler."""
        compiler = shutil.which("cc")
        if compiler is None or sys.platform != "linux":
            pytest.skip("a clock that steps needs Linux and a C compiler")
        folder.mkdir(parents=True, exist_ok=True)
        clock = cls(folder / "stepped_clock.so", folder / "offset")
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(clock.library), str(SOURCE)]
        subprocess.run([*command, "-ldl"], check=True)
        clock.step_to(0)
        return clock

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "STEPPED_CLOCK": str(self.file)}

    def step_to(self, seconds: int) -> None:
        """Let it be so far ahead of the true time, from now on."""
        with self.file.open("r+b" if self.file.exists() else "wb") as stream:
            stream.write(struct.pack("q", seconds))
