"""Parquet files, read by DuckDB with the types that they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.ingestion.formats import Unreadable
from orchestration.ingestion.reserved import RESERVED
from orchestration.ingestion.sources import Relation, SourceBase
from orchestration.ingestion.sql import first_line, identifier, literal

NUMBER = "file_row_number"


@dataclass
class ParquetSource(SourceBase):
    """One Parquet file."""

    path: Path = Path()

    def relation(self, names: Sequence[str]) -> Relation:
        pairs = ", ".join(
            f"{literal(name)}, {identifier(name)}" for name in self.columns if name not in RESERVED
        )
        values = {name: identifier(name) for name in names}
        own = NUMBER in self.columns  # then DuckDB cannot add its own column of that name
        query = _scan(self.path, numbered=not own)
        number = "row_number() over ()" if own else f"{NUMBER} + 1"
        return Relation(query, values, number, f"json_object({pairs})")


def open_parquet(source: SourceBase, path: Path) -> ParquetSource:
    """Read the schema of a Parquet file.

    Raises
    ------
    Unreadable
        When it is truncated, broken, or no Parquet at all.
    """
    try:
        rows = source.connection.execute(f"describe from {_scan(path)}").fetchall()
    except duckdb.Error as error:
        raise Unreadable(f"not readable as Parquet: {first_line(error)}") from error
    columns = {name: type_ for name, type_, *_ in rows}
    return ParquetSource(source.connection, columns, path=path)


def _scan(path: Path, *, numbered: bool = False) -> str:
    numbers = ", file_row_number = true" if numbered else ""
    return f"read_parquet({literal(str(path))}, hive_partitioning = false{numbers})"
