"""The landing folder: which files lie in it, and which of them are new by content."""

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.files import Fingerprint, LandedFile, content_hash

ARRIVAL_FOLDER = "arrived="
ARRIVAL_FORMAT = "%Y-%m-%dT%H"
UNFINISHED = (".tmp", ".part", ".crdownload")

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
        if 0 <= now.timestamp() - file.mtime_ns / 1e9 < settle_seconds:
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
            if not entry.name.startswith(("_", ".")) and entry.suffix not in UNFINISHED:
                yield entry


def _hour(name: str) -> str | None:
    if not name.startswith(ARRIVAL_FOLDER):
        return None
    hour = name.removeprefix(ARRIVAL_FOLDER)
    try:
        parsed = datetime.strptime(hour, ARRIVAL_FORMAT)
    except ValueError:
        return None
    return hour if parsed.strftime(ARRIVAL_FORMAT) == hour else None
