"""Delimiter and header of a CSV file, found in its first record."""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingestion.formats import Unreadable

DELIMITERS = (",", ";", "\t", "|")
HEADER_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    Attributes
    ----------
    header_rows
        0 when the column names were given and the file does not repeat them.
    """

    delimiter: str
    header: tuple[str, ...]
    header_rows: int = 1


@dataclass(frozen=True)
class Hints:
    """What is known of a text file beforehand."""

    delimiter: str | None = None
    encoding: str | None = None
    header: tuple[str, ...] | None = None


NO_HINTS = Hints()


def read_dialect(path: Path, hints: Hints) -> Dialect:
    """Read the first record of a UTF-8 file.

    Raises
    ------
    Unreadable
        When the header is blank, has an empty name or the same name twice.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        text = stream.read(HEADER_CHARACTERS).lstrip("\r\n")
    delimiter = hints.delimiter or _delimiter(text)
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    header = tuple(name.strip() for name in next(rows, []))
    if hints.header is not None and header != hints.header:
        return Dialect(delimiter, hints.header, header_rows=0)
    _check(header)
    return Dialect(delimiter, header)


def _delimiter(text: str) -> str:
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for character in text:
        if character == '"':
            quoted = not quoted
        elif character in "\r\n" and not quoted:
            break
        elif character in counts and not quoted:
            counts[character] += 1
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


def _check(header: tuple[str, ...]) -> None:
    if not any(header):
        raise Unreadable("the header is blank: the first line must name the columns")
    shown = ", ".join(header)[:400]
    if any("\0" in name for name in header):
        raise Unreadable(f"the header has a NUL character: {shown!r}")
    blanks = [str(number) for number, name in enumerate(header, 1) if not name]
    if blanks:
        raise Unreadable(f"the header has no name for column {', '.join(blanks)} ({shown})")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise Unreadable(f'the header has "{twice[0]}" more than once ({shown})')
