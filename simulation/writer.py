"""Files that appear whole: written under a hidden name, then renamed."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def write_whole(table: pa.Table, path: Path) -> Path:
    """Write a Parquet file (zstd) that no reader can see half written.

    The hidden name begins with a dot and lies in the same folder, so that the rename is atomic.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.partial")
    try:
        pq.write_table(table, hidden, compression="zstd", compression_level=1)
        os.replace(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
    return path


def land(table: pa.Table, landing: Path, entity: str, arrived: datetime, name: str) -> Path | None:
    """Put a table of one entity into the landing folder; an empty table leaves no file.

    Returns
    -------
    `<landing>/<entity>/arrived=<UTC hour>/<name>.parquet`, or None.
    """
    if table.num_rows == 0:
        return None
    hour = f"arrived={arrived:%Y-%m-%dT%H}"
    return write_whole(table, landing / entity / hour / f"{name}.parquet")
