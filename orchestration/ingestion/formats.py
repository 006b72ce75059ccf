"""What a file is, told by its content and never by its name."""

import gzip
import os
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path

from orchestration.ingestion.encoding import SAMPLE_BYTES, to_utf8, wide_encoding

MARK = b"\xef\xbb\xbf"
KNOWN_BINARIES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\xfd7zXZ", "xz-compressed"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
)
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\0\t\n\v\f\r\x1b")


class Unreadable(RuntimeError):
    """A file that cannot be read at all, with the reason."""


@dataclass(frozen=True)
class Prepared:
    """A file made ready to read: decompressed, and UTF-8 when it is text."""

    path: Path
    format: str
    notes: tuple[str, ...]


def prepare(path: Path, folder: Path, encoding: str | None = None) -> Prepared:
    """Find out what a file is and make it ready to read.

    Parameters
    ----------
    folder
        An empty folder for what is decompressed or converted.
    encoding
        Of text, where its bytes do not tell.

    Raises
    ------
    Unreadable
        When the content is nothing that ingestion reads.
    """
    start = _start(path)
    gzipped = start.startswith(b"\x1f\x8b")
    if gzipped:
        path = _decompressed(path, folder)
        start = _start(path)
    suffix = "+gzip" if gzipped else ""
    if start.startswith(b"PAR1"):
        link = folder / "content.parquet"  # a plain name: no wildcard, no partition in the path
        os.symlink(path.absolute(), link)
        return Prepared(link, f"parquet{suffix}", ())
    _refuse_binary(start)
    path, note = to_utf8(path, folder, encoding)
    head = _start(path).removeprefix(MARK).lstrip()
    if head.startswith(b"["):
        rest = head[1:].lstrip()
        if rest[:1] in (b"{", b"[", b"]", b'"'):
            raise Unreadable("a JSON array: write one JSON object a line instead")
    kind = "jsonl" if head.startswith(b"{") else "csv"
    return Prepared(path, f"{kind}{suffix}", () if note is None else (note,))


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        start = stream.read(SAMPLE_BYTES)
    if not start:
        raise Unreadable("empty file")
    return start


def _decompressed(path: Path, folder: Path) -> Path:
    target = folder / "decompressed"
    try:
        with gzip.open(path) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    except EOFError:
        raise Unreadable("gzip ends too early: the file is truncated") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise Unreadable(f"broken gzip: {error}") from error
    return target


def _refuse_binary(start: bytes) -> None:
    for magic, description in KNOWN_BINARIES:
        if start.startswith(magic):
            raise Unreadable(f"{description}: land Parquet, JSONL or CSV instead")
    if wide_encoding(start):
        return
    controls = len(start) - len(start.translate(None, CONTROLS))
    zeros = start.count(0)
    if controls > 0.02 * len(start) + 2 or zeros > 0.3 * len(start):
        raise Unreadable("binary data that is neither Parquet, JSONL nor CSV")
