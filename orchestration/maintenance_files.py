"""Upkeep of files that grow without end or that dead processes left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from orchestration.settings import Settings

ALERT_FILE_BYTES = 10 << 20
ALERT_FILES = 5
SPILLED = "duckdb_temp_*"
"""What DuckDB writes when a query does not fit into memory, and removes when it ends."""


@dataclass(frozen=True)
class FilesUpkeep:
    """What one round did."""

    rotated_logs: int
    deleted_spills: int


def keep_files(values: Settings, oldest: datetime) -> FilesUpkeep:
    """Rotate the file of alerts, and delete what queries that died left in ``tmp``.

    Parameters
    ----------
    oldest
        Temporary files that did not change since are nobody's.
    """
    rotated = rotate(values.alert_file, ALERT_FILE_BYTES, ALERT_FILES)
    spills = list(_unchanged_since(values.root / "tmp", oldest))
    for path in spills:
        path.unlink(missing_ok=True)
    return FilesUpkeep(int(rotated), len(spills))


def rotate(file: Path, most_bytes: int, most_files: int) -> bool:
    """Rename a file that has grown too large to ``<name>.1``, older ones on, the last away.

    Whoever appends opens the file anew each time, so nothing is lost.
    """
    if not file.exists() or file.stat().st_size < most_bytes:
        return False
    for number in range(most_files - 1, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        if older.exists():
            older.replace(file.with_name(f"{file.name}.{number + 1}"))
    file.replace(file.with_name(f"{file.name}.1"))
    return True


def _unchanged_since(folder: Path, oldest: datetime) -> Iterator[Path]:
    for path in folder.glob(SPILLED):
        if path.is_file() and path.stat().st_mtime < oldest.timestamp():
            yield path
