"""Files of a backup: taken by hard link or copy, named with size and hash in a manifest."""

import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from orchestration.ingestion.files import content_hash

MANIFEST = "manifest.json"
FORMAT = 1


class BackupDamaged(RuntimeError):
    """A folder is no backup, or some of its files are missing or not as they were."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Attributes
    ----------
    home
        The folder that it was taken of.
    batch_id, snapshot_id
        The newest batch and the published snapshot of the lake; None without them.
    not_covered
        What is not in the backup, and how to keep it, for people.
    files
        Size in bytes and SHA-256 by path below the backup.
    """

    made_at: str
    home: str
    batch_id: int | None
    snapshot_id: int | None
    not_covered: tuple[str, ...]
    files: dict[str, tuple[int, str]] = field(repr=False)
    format: int = FORMAT

    @property
    def instant(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def size(self) -> int:
        return sum(size for size, _ in self.files.values())

    def write(self, folder: Path) -> None:
        """Write it last, and durably: a folder without it is no backup."""
        draft = folder / f".{MANIFEST}"
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / MANIFEST)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """The manifest of a backup.

        Raises
        ------
        BackupDamaged
        """
        path = folder / MANIFEST
        if not path.exists():
            raise BackupDamaged(
                f"{folder} is no finished backup: it has no {MANIFEST} (`shoal backup` makes one)"
            )
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise BackupDamaged(
                    f"{path} has format {content['format']}; this version reads {FORMAT}"
                )
            content["files"] = {name: (size, sha) for name, (size, sha) in content["files"].items()}
            content["not_covered"] = tuple(content["not_covered"])
            return cls(**content)
        except (ValueError, KeyError, TypeError) as problem:
            raise BackupDamaged(f"{path} cannot be read: {problem}") from problem

    def verify(self, folder: Path) -> None:
        """Compare every file with its size and hash.

        Raises
        ------
        BackupDamaged
            Naming the files that differ.
        """
        wrong = [
            name
            for name, (size, sha) in self.files.items()
            if not (folder / name).is_file()
            or (folder / name).stat().st_size != size
            or content_hash(folder / name) != sha
        ]
        if wrong:
            named = ", ".join(wrong[:5]) + (", …" if len(wrong) > 5 else "")
            raise BackupDamaged(
                f"{folder}: {len(wrong)} of {len(self.files)} files are missing or not as they "
                f"were: {named}. Nothing was changed; use another backup"
            )


def take_tree(source: Path, target: Path, *, copy: bool, suffixes: Sequence[str] = ()) -> None:
    """Link or copy every file below a folder; immutable ones only may be linked."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and (not suffixes or path.suffix in suffixes):
            take_file(path, target / path.relative_to(source), copy=copy)


def take_file(source: Path, target: Path, *, copy: bool) -> None:
    """Hard-link a file, or copy it where that is asked for or the file system needs it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not copy:
        if target.exists() and target.samefile(source):
            return
        try:
            os.link(source, target)
            return
        except OSError:
            pass  # another file system, or one without links
    shutil.copy2(source, target)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database as of one moment, its log included, and check the copy.

    Raises
    ------
    sqlite3.DatabaseError
        When the source is damaged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written)
        ((answer,),) = written.execute("pragma integrity_check(1)").fetchall()
        if answer != "ok":
            raise sqlite3.DatabaseError(f"{source}: {answer}")
        written.execute("pragma journal_mode = delete").fetchall()


def described(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, content_hash(path))
        for path in _files(folder)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (MANIFEST, f".{MANIFEST}"):
            yield path
