"""From a path to a relation, whatever the file's name says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn, TypeVar

import duckdb
import pyarrow as pa

from orchestration.ingestion.csv_dialect import NO_HINTS, Hints
from orchestration.ingestion.csv_reader import CsvSource, open_csv
from orchestration.ingestion.formats import Unreadable, prepare
from orchestration.ingestion.jsonl_reader import open_jsonl
from orchestration.ingestion.parquet_reader import open_parquet
from orchestration.ingestion.sources import Source, SourceBase
from orchestration.ingestion.sql import first_line

OPENERS: dict[str, Callable[[SourceBase, Path], Source]] = {
    "csv": open_csv,
    "jsonl": open_jsonl,
    "parquet": open_parquet,
}
OUR_TROUBLE = (
    duckdb.OutOfMemoryException,
    duckdb.InterruptException,
    duckdb.FatalException,
    duckdb.TransactionException,
    duckdb.PermissionException,
)
Result = TypeVar("Result")


@contextmanager
def opened(
    connection: duckdb.DuckDBPyConnection, path: Path, hints: Hints = NO_HINTS
) -> Iterator[Source]:
    """Open a file by its content.

    Raises
    ------
    Unreadable
        When it is nothing that ingestion reads, with the reason.
    """
    with TemporaryDirectory(prefix="shoal-") as folder:
        prepared = prepare(path, Path(folder), hints.encoding)
        kind = prepared.format.partition("+")[0]
        try:
            source = OPENERS[kind](SourceBase(connection, hints=hints), prepared.path)
        except (duckdb.Error, pa.ArrowInvalid) as error:
            _blame_file(error)
        source.format, source.conversions = prepared.format, prepared.notes
        try:
            yield source
        finally:
            source.close()


def read_through(source: Source, read: Callable[[], Result]) -> Result:
    """Run what reads a source's relation to its end, again with more memory if a row needs it.

    Raises
    ------
    Unreadable
        When the file turns out to be broken on the way.
    """
    while True:
        try:
            return read()
        except (duckdb.Error, pa.ArrowInvalid) as error:
            if "straddl" in str(error) and isinstance(source, CsvSource) and source.widen_blocks():
                continue
            _blame_file(error)


def _blame_file(error: duckdb.Error | pa.ArrowInvalid) -> NoReturn:
    """Say that the file is broken, unless the machine or the process is in trouble."""
    if isinstance(error, OUR_TROUBLE) or "No space left" in str(error):
        raise error
    raise Unreadable(f"broken on the way: {first_line(error)}") from error
