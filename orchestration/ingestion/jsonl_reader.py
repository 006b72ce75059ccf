"""JSON lines: one object a line, whose keys may differ from line to line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from orchestration.ingestion.formats import MARK
from orchestration.ingestion.reserved import ERRORS, RESERVED
from orchestration.ingestion.sources import TEXT, Rejection, Relation, SourceBase
from orchestration.ingestion.sql import literal

BLOCK_BYTES = 1 << 23
LINES = "temp.jsonl_lines"
VIEW = "jsonl_blocks"
REASONS = {"malformed": "malformed JSON", "other": "not a JSON object"}


@dataclass
class JsonlSource(SourceBase):
    """One JSONL file in UTF-8, its lines in a temporary table."""

    def relation(self, names: Sequence[str]) -> Relation:
        paths = ", ".join(literal(_pointer(name)) for name in names)
        found = f"json_extract_string(line, [{paths}])" if names else "null"
        values = {name: f"found[{position}]" for position, name in enumerate(names, 1)}
        if ERRORS in values:
            values[ERRORS] = f"try_cast(try_cast({values[ERRORS]} as json) as varchar[])"
        query = f"(select record, line, {found} as found from {LINES} where kind = 'object')"
        return Relation(query, values, "record", "line")

    def close(self) -> None:
        self.connection.execute(f"drop table if exists {LINES}")


def open_jsonl(source: SourceBase, path: Path) -> JsonlSource:
    """Read the lines of a JSONL file and the keys that occur in them."""
    connection = source.connection
    schema = pa.schema([("record", pa.int64()), ("line", pa.large_string())])
    connection.register(VIEW, pa.RecordBatchReader.from_batches(schema, _batches(path, schema)))
    try:
        connection.execute(
            f"create or replace temp table {LINES.removeprefix('temp.')} as "
            "select record, line, case when not json_valid(line) then 'malformed' "
            f"when json_type(line) = 'OBJECT' then 'object' else 'other' end as kind from {VIEW}"
        )
    finally:
        connection.unregister(VIEW)
    opened = JsonlSource(connection)
    keys = connection.execute(
        f"select distinct unnest(json_keys(line)) as name from {LINES} where kind = 'object' "
        "order by name"
    ).fetchall()
    opened.columns = {name: RESERVED[ERRORS] if name == ERRORS else TEXT for (name,) in keys}
    bad = connection.execute(
        f"select record, line, kind from {LINES} where kind <> 'object' order by record"
    ).fetchall()
    opened.rejections = [Rejection(record, line, REASONS[kind]) for record, line, kind in bad]
    return opened


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    record = 1
    for lines in _blocks_of_lines(path):
        numbers = pa.array(range(record, record + len(lines)), pa.int64())
        texts = pa.array(lines, pa.large_binary()).cast(pa.large_string())
        yield pa.RecordBatch.from_arrays([numbers, texts], schema=schema)
        record += len(lines)


def _blocks_of_lines(path: Path) -> Iterator[list[bytes]]:
    """Lines that are not blank, some megabytes at a time."""
    rest: list[bytes] = []
    with path.open("rb") as stream:
        block = stream.read(BLOCK_BYTES).removeprefix(MARK)
        while block:
            *lines, last = block.split(b"\n")
            if lines:
                lines[0] = b"".join([*rest, lines[0]])
                rest = []
            rest.append(last)
            yield [line for line in lines if line.strip()]
            block = stream.read(BLOCK_BYTES)
    yield [line for line in [b"".join(rest)] if line.strip()]


def _pointer(name: str) -> str:
    """JSON pointer to a key of the object."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
