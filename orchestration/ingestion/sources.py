"""What every reader gives: a file as a relation that DuckDB can query, rejected rows beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import duckdb

from orchestration.ingestion.csv_dialect import NO_HINTS, Hints

TEXT = "VARCHAR"


@dataclass(frozen=True)
class Rejection:
    """A row that the reader itself could not make sense of.

    Attributes
    ----------
    row_number
        1-based number of the record in the file; headers and blank lines do not count.
    payload
        The row as it stands in the file.
    """

    row_number: int
    payload: str
    reason: str


@dataclass(frozen=True)
class Relation:
    """A file as SQL.

    Attributes
    ----------
    query
        What stands after ``from``.
    values
        SQL expression of each wanted column.
    row_number, payload
        SQL expressions of the record's number and of the whole original row as JSON.
    """

    query: str
    values: dict[str, str]
    row_number: str
    payload: str


class Source(Protocol):
    """One opened file.

    Attributes
    ----------
    columns
        Name in the file -> DuckDB type.
    rejections, notes
        Complete once the relation has been read to its end.
    format, conversions
        What the content was, and what had to be done to make it readable.
    """

    columns: dict[str, str]
    rejections: list[Rejection]
    notes: list[str]
    format: str
    conversions: tuple[str, ...]

    def relation(self, names: Sequence[str]) -> Relation:
        """Give the file as SQL, with expressions for the named columns; read it once."""
        ...

    def close(self) -> None:
        """Forget what was registered for reading."""
        ...


@dataclass
class SourceBase:
    """State that every source has."""

    connection: duckdb.DuckDBPyConnection
    columns: dict[str, str] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    format: str = ""
    conversions: tuple[str, ...] = ()
    hints: Hints = NO_HINTS

    def close(self) -> None:
        """Nothing to forget."""
