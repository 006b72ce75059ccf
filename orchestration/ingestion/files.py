"""Files as they lie in the landing folder, and their identity: the hash of their content."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_BYTES = 1 << 20

Fingerprint = tuple[str, int, int]


class FileChanged(RuntimeError):
    """A file changed, or went away, while it was being read."""


@dataclass(frozen=True)
class LandedFile:
    """One file to ingest.

    Attributes
    ----------
    name
        How the ledger and the quarantine name the file: its path below the landing folder.
    partition_key
        UTC hour of arrival, ``%Y-%m-%dT%H``.
    """

    path: Path
    entity: str
    partition_key: str
    name: str
    size: int
    mtime_ns: int

    @classmethod
    def at(
        cls, path: Path, entity: str, partition_key: str, name: str | None = None
    ) -> "LandedFile":
        """Describe the file as it is now."""
        status = path.stat()
        name = path.name if name is None else name
        name = os.fsencode(name).decode("utf-8", errors="replace")
        return cls(path, entity, partition_key, name, status.st_size, status.st_mtime_ns)

    @property
    def fingerprint(self) -> Fingerprint:
        """What tells cheaply that a file is probably the one seen before."""
        return (self.name, self.size, self.mtime_ns)


def batches_of(files: Sequence[LandedFile], most_bytes: int) -> Iterator[list[LandedFile]]:
    """Split files, in their order, into batches of so many bytes; a larger file is its own."""
    batch: list[LandedFile] = []
    size = 0
    for file in files:
        if batch and size + file.size > most_bytes:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def size_and_mtime(path: Path) -> tuple[int, int]:
    """Size in bytes and time of modification in nanoseconds.

    Raises
    ------
    FileChanged
        When the file is no longer there.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise FileChanged("it is no longer there") from None
    return status.st_size, status.st_mtime_ns
