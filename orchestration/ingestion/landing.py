"""The landing folder: which files lie in it, and which of them are new by content."""

import os
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.files import Fingerprint, LandedFile, content_hash

ARRIVAL_FOLDER = "arrived="
ARRIVAL_FORMAT = "%Y-%m-%dT%H"
UNFINISHED = (".tmp", ".part", ".crdownload")
COLLECTED = "collector-"
"""How the names of the collector's files begin."""
PARQUET_MAGIC = b"PAR1"

LedgerRow = tuple[str, int, int, str]


def arrival_folder(landing: Path, entity: str, arrived: datetime) -> Path:
    """Where files of an entity that arrive at an instant belong."""
    hour = arrived.astimezone(UTC).strftime(ARRIVAL_FORMAT)
    return landing / entity / f"{ARRIVAL_FOLDER}{hour}"


def scan(landing: Path) -> tuple[list[LandedFile], list[str]]:
    """List the files of a landing folder, and say what lies where it cannot be taken.

    A file straight in an entity's folder counts as arrived when it was put there. Hidden files,
    names that begin with ``_`` and unfinished downloads are no files yet.
    """
    files: list[LandedFile] = []
    problems: list[str] = []
    known = ", ".join(ENTITIES)
    for entry in _entries(landing):
        if not entry.is_dir():
            problems.append(f"{entry}: lies beside the entities' folders ({known})")
        elif entry.name not in ENTITIES:
            problems.append(f'{entry}: no entity "{entry.name}" (has: {known})')
        else:
            _scan_entity(landing, entry, files, problems)
    return files, problems


def pending(
    files: Sequence[LandedFile],
    ledger: Iterable[LedgerRow],
    now: datetime,
    settle_seconds: float,
    hashes: MutableMapping[Fingerprint, str],
) -> tuple[list[LandedFile], int]:
    """Tell which files are new by content, and how many may still be being written.

    Parameters
    ----------
    ledger
        ``file, bytes, modified_ns, file_hash`` of every file that was taken.
    hashes
        Content hashes of files seen before; grows here.
    """
    taken: set[Fingerprint] = set()
    contents: set[tuple[str, str]] = set()
    for name, size, modified_ns, file_hash in ledger:
        taken.add((name, size, modified_ns))
        contents.add((name.partition("/")[0], file_hash))
    new: list[LandedFile] = []
    unsettled = 0
    for file in files:
        if file.fingerprint in taken:
            continue
        if not is_settled(file, now, settle_seconds):
            unsettled += 1
            continue
        try:
            if file.fingerprint not in hashes:
                hashes[file.fingerprint] = content_hash(file.path)
        except OSError:
            unsettled += 1
            continue
        if (file.entity, hashes[file.fingerprint]) not in contents:
            new.append(file)
    return new, unsettled


def is_settled(file: LandedFile, now: datetime, settle_seconds: float) -> bool:
    """Whether nobody writes to a file any more: it is whole by itself, or was left for a while.

    A Parquet file ends with its footer, and the collector moves files here that it has closed.
    """
    age = now.timestamp() - file.mtime_ns / 1e9
    return not 0 <= age < settle_seconds or _is_whole(file.path)


def landed_file(landing: Path, path: Path) -> LandedFile | None:
    """What one path below the landing folder is to `scan`; None when it is not to be taken."""
    parts = path.relative_to(landing).parts
    if any(_is_ignored(Path(part)) for part in parts) or not path.is_file():
        return None
    hour = _hour(parts[1]) if len(parts) == 3 else None
    if parts[0] not in ENTITIES or len(parts) != (2 if hour is None else 3):
        return None
    files: list[LandedFile] = []
    _add(landing, path, parts[0], hour, files)
    return files[0] if files else None


def _is_whole(path: Path) -> bool:
    if path.name.startswith(COLLECTED):
        return True
    try:
        with path.open("rb") as stream:
            if stream.read(len(PARQUET_MAGIC)) != PARQUET_MAGIC:
                return False
            stream.seek(-len(PARQUET_MAGIC), os.SEEK_END)
            return stream.tell() > len(PARQUET_MAGIC) and stream.read() == PARQUET_MAGIC
    except OSError:
        return False


def _scan_entity(landing: Path, folder: Path, files: list[LandedFile], problems: list[str]) -> None:
    for entry in _entries(folder):
        hour = _hour(entry.name)
        if entry.is_file():
            _add(landing, entry, folder.name, None, files)
        elif hour is None:
            problems.append(f"{entry}: is no arrival hour, such as arrived=2026-01-31T09")
        else:
            for path in _entries(entry):
                if path.is_file():
                    _add(landing, path, folder.name, hour, files)
                else:
                    problems.append(f"{path}: a folder inside an arrival hour is not looked into")


def _add(landing: Path, path: Path, entity: str, hour: str | None, files: list[LandedFile]) -> None:
    try:
        if hour is None:
            created = datetime.fromtimestamp(path.stat().st_ctime, UTC)
            hour = created.strftime(ARRIVAL_FORMAT)
        files.append(LandedFile.at(path, entity, hour, path.relative_to(landing).as_posix()))
    except FileNotFoundError:
        return  # gone since the folder was listed


def _entries(folder: Path) -> Iterator[Path]:
    """What a folder holds, in order, without what is hidden or unfinished."""
    if folder.is_dir():
        for entry in sorted(folder.iterdir()):
            if not _is_ignored(entry):
                yield entry


def _is_ignored(entry: Path) -> bool:
    return entry.name.startswith(("_", ".")) or entry.suffix in UNFINISHED


def _hour(name: str) -> str | None:
    if not name.startswith(ARRIVAL_FOLDER):
        return None
    hour = name.removeprefix(ARRIVAL_FOLDER)
    try:
        parsed = datetime.strptime(hour, ARRIVAL_FORMAT)
    except ValueError:
        return None
    return hour if parsed.strftime(ARRIVAL_FORMAT) == hour else None
