"""Text files of any common encoding, made UTF-8."""

import codecs
from pathlib import Path

import charset_normalizer

SAMPLE_BYTES = 1 << 16
BLOCK_BYTES = 1 << 22
ENOUGH_FOREIGN_BYTES = 32
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "shift_jis", "gb18030", "big5", "euc_kr"),
]


def to_utf8(path: Path, folder: Path, encoding: str | None = None) -> tuple[Path, str | None]:
    """Give a UTF-8 file with the same text, and a note when the bytes were something else.

    Parameters
    ----------
    folder
        Where a converted copy may be written.
    encoding
        The encoding, when it is known.
    """
    if encoding is not None:
        return _converted(path, folder, encoding, "replace"), f"read as {encoding}"
    with path.open("rb") as stream:
        start = stream.read(SAMPLE_BYTES)
    wide = wide_encoding(start)
    if wide is not None:
        return _converted(path, folder, wide, "replace"), f"read as {wide}"
    foreign = _first_foreign_byte(path)
    if foreign is None:
        return path, None
    with path.open("rb") as stream:
        stream.seek(max(foreign - SAMPLE_BYTES // 2, 0))
        sample = stream.read(SAMPLE_BYTES)
    encoding = _guess(sample)
    note = f"read as {encoding}"
    if encoding == "utf-8":
        note = "has bytes that are not UTF-8; each was replaced by �"
    return _converted(path, folder, encoding, "replace"), note


def wide_encoding(start: bytes) -> str | None:
    """UTF-16 or UTF-32, told by the byte order mark or by where the zero bytes are."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    pairs = len(start) // 2
    if pairs >= 2:
        even, odd = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
        if odd > 0.4 * pairs and even < 0.1 * pairs:
            return "utf-16-le"
        if even > 0.4 * pairs and odd < 0.1 * pairs:
            return "utf-16-be"
    return None


def _first_foreign_byte(path: Path) -> int | None:
    """Position of the first byte that is not UTF-8, or None."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    position = 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(BLOCK_BYTES)
            kept = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return position - kept + error.start
            position += len(block)
            if not block:
                return None


def _guess(sample: bytes) -> str:
    """Encoding of a text that is not, or not quite, UTF-8."""
    lenient = sample.decode("utf-8", errors="replace")
    broken = lenient.count("\ufffd")
    sound = sum(1 for character in lenient if ord(character) > 127) - broken
    if sound > broken:
        return "utf-8"
    foreign_bytes = sum(1 for byte in sample if byte > 127)
    if foreign_bytes >= ENOUGH_FOREIGN_BYTES:
        best = charset_normalizer.from_bytes(sample, cp_isolation=GUESSES).best()
        if best is not None:
            return str(best.encoding)
    return "cp1252"


def _converted(path: Path, folder: Path, encoding: str, errors: str) -> Path:
    target = folder / f"{path.name[:40]}.utf8"
    with (
        path.open("r", encoding=encoding, errors=errors, newline="") as source,
        target.open("w", encoding="utf-8", newline="") as copy,
    ):
        while text := source.read(BLOCK_BYTES):
            copy.write(text)
    return target
