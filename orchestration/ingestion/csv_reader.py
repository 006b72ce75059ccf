"""CSV files: every column as text, ragged rows set aside with their number."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from orchestration.ingestion.csv_dialect import Dialect, read_dialect
from orchestration.ingestion.sources import TEXT, Rejection, Relation, SourceBase
from orchestration.ingestion.sql import identifier, literal

BLOCK_BYTES = 1 << 24
LARGEST_BLOCK = (1 << 31) - (1 << 20)
VIEW = "csv_records"
NUMBER = "record_number"
END = "\x1eshoal end of file\x1e"


class WithEnd(io.RawIOBase):
    """A stream with one more record, which shows whether the last quote was closed."""

    def __init__(self, stream: BinaryIO, end: bytes) -> None:
        self._stream = stream
        self._end = end

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        if size < 0 or len(block) < size:
            space = len(self._end) if size < 0 else size - len(block)
            block, self._end = block + self._end[:space], self._end[space:]
        return block

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass
class CsvSource(SourceBase):
    """One CSV file in UTF-8."""

    path: Path = Path()
    dialect: Dialect = field(default_factory=lambda: Dialect(",", ()))
    block_bytes: int = BLOCK_BYTES

    def relation(self, names: Sequence[str]) -> Relation:
        reader = pa.RecordBatchReader.from_batches(self._schema(), self._batches())
        self.connection.register(VIEW, reader)
        codes = {name: _code(index) for index, name in enumerate(self.dialect.header)}
        pairs = ", ".join(f"{literal(name)}, {identifier(code)}" for name, code in codes.items())
        values = {name: identifier(codes[name]) for name in names}
        return Relation(VIEW, values, identifier(NUMBER), f"json_object({pairs})")

    def close(self) -> None:
        self.connection.unregister(VIEW)

    def widen_blocks(self) -> bool:
        """Make place for a longer record; False when there is no more."""
        largest = min(LARGEST_BLOCK, self.path.stat().st_size + (1 << 16))
        if self.block_bytes >= largest:
            return False
        self.block_bytes = min(self.block_bytes * 8, largest)
        self.rejections.clear()
        self.notes.clear()
        return True

    def _schema(self) -> pa.Schema:
        fields = [(_code(index), pa.string()) for index in range(len(self.dialect.header))]
        return pa.schema([*fields, (NUMBER, pa.int64())])

    def _batches(self) -> Iterator[pa.RecordBatch]:
        stream: BinaryIO = self.path.open("rb")
        header_rows, before = self.dialect.header_rows, 0
        while True:
            parse = _Parse(self, header_rows, before)
            yield from parse.batches(stream)
            if parse.swallowed is None:
                return
            self.notes.append(
                f"the quote opened in row {parse.next_number - 1} is never closed; "
                "the lines after it were read as rows of their own"
            )
            stream = io.BytesIO(parse.swallowed.encode())
            header_rows, before = 0, parse.next_number - 1


class _Parse:
    """One pass of the parser over a stream."""

    def __init__(self, source: CsvSource, header_rows: int, before: int) -> None:
        self._source = source
        self._header_rows = header_rows
        self._before = before
        self._skipped: list[int] = []
        self.next_number = before + 1
        self.swallowed: str | None = None

    def batches(self, stream: BinaryIO) -> Iterator[pa.RecordBatch]:
        for batch in self._reader(stream):
            columns, unclosed = batch.columns, None
            if batch.num_rows and (last := str(columns[0][-1])) != END:
                tail = str(columns[-1][-1])
                unclosed = [str(column[-1]) for column in columns] if END in tail else None
            whole = batch.num_rows - (batch.num_rows > 0 and (last == END or unclosed is not None))
            batch = batch.slice(0, whole)
            if whole:
                yield batch.append_column(NUMBER, pa.array(self._numbers(whole)))
            if unclosed is not None:
                self._reject_unclosed(unclosed)
        if self._skipped:
            self.next_number = max(self.next_number, self._skipped[-1] + 1)

    def _reader(self, stream: BinaryIO) -> pcsv.CSVStreamingReader:
        source, width = self._source, len(self._source.dialect.header)
        codes = [_code(index) for index in range(width)]
        delimiter = source.dialect.delimiter
        end = f"\n{END}{delimiter * (width - 1)}\n".encode()
        return pcsv.open_csv(
            pa.PythonFile(WithEnd(stream, end), "r"),
            read_options=pcsv.ReadOptions(
                use_threads=False,
                block_size=source.block_bytes,
                column_names=codes,
                skip_rows_after_names=self._header_rows,
            ),
            parse_options=pcsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=self._reject
            ),
            convert_options=pcsv.ConvertOptions(
                column_types=dict.fromkeys(codes, pa.string()),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )

    def _reject(self, row: pcsv.InvalidRow) -> str:
        number = row.number - self._header_rows + self._before
        text = row.text
        reason = f"row has {row.actual_columns} fields, the header has {row.expected_columns}"
        if END in text:
            text = text.partition(f"\n{END}")[0]
            text, _, rest = text.partition("\n")
            self.swallowed = rest or None
            reason = "a quote is opened and never closed"
        self._skipped.append(number)
        self._source.rejections.append(Rejection(number, text, reason))
        return "skip"

    def _reject_unclosed(self, fields: list[str]) -> None:
        value = fields[-1].partition(f"\n{END}")[0]
        value, _, rest = value.partition("\n")
        self.swallowed = rest.replace('"', '""') or None
        number = int(self._numbers(1)[0])
        payload = self._source.dialect.delimiter.join([*fields[:-1], f'"{value}'])
        reason = "a quote is opened and never closed"
        self._source.rejections.append(Rejection(number, payload, reason))

    def _numbers(self, count: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Numbers of the next good records: those of rejected ones are left out."""
        ahead = [number for number in self._skipped if number >= self.next_number]
        numbers = np.arange(self.next_number, self.next_number + count + len(ahead), dtype=np.int64)
        if ahead:
            numbers = numbers[~np.isin(numbers, ahead)][:count]
        self.next_number = int(numbers[-1]) + 1
        return numbers


def open_csv(source: SourceBase, path: Path) -> CsvSource:
    """Read the header of a CSV file."""
    dialect = read_dialect(path, source.hints)
    columns = dict.fromkeys(dialect.header, TEXT)
    return CsvSource(source.connection, columns, path=path, dialect=dialect)


def _code(index: int) -> str:
    return f"c{index}"
