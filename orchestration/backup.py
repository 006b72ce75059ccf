"""A backup of a home: everything that cannot be computed again, complete in itself."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestration.backup_files import (
    MANIFEST,
    Manifest,
    copy_database,
    described,
    take_file,
    take_tree,
)
from orchestration.lake import Lake, LakeNotFound, published_snapshot
from orchestration.maintenance_catalog import files_of_catalog
from orchestration.settings import Settings
from orchestration.waiting import waiting_work

NAME_FORMAT = "%Y%m%dT%H%M%SZ"
DRAFT = ".unfinished-"
DRAFT_AGE = timedelta(days=1)
CATALOG, DATA = "lake/catalog.sqlite", "lake/data"
STORE, ARTIFACTS, KEY = "registry/mlflow.sqlite", "registry/artifacts", "hash_key"


class BackupFailed(RuntimeError):
    """A backup could not be made; none was left, and older ones are as they were."""


def make_backup(
    lake: Lake, values: Settings, folder: Path, now: datetime, *, copy: bool = False
) -> tuple[Path, Manifest]:
    """Back up catalog, data files, registry, pseudonym key and landed files that wait.

    The writer lease is held while the databases are copied and files are linked. Data files are
    never changed, so they are hard links where the file system allows; with ``copy``, or on
    another file system, the lease is held while they are copied.

    Parameters
    ----------
    folder
        Where backups lie; this one becomes a folder of it, named after ``now``.

    Returns
    -------
    path, manifest

    Raises
    ------
    BackupFailed
        The lake is damaged or there is none, the disk is full, or there is such a backup.
    """
    name = now.astimezone(UTC).strftime(NAME_FORMAT)
    target, draft = folder / name, folder / f"{DRAFT}{name}"
    if target.exists():
        raise BackupFailed(f"{target} is already there")
    try:
        draft.mkdir(parents=True, mode=0o700)
        with lake.lease("backup"):
            not_covered, batch_id, snapshot_id = _take(lake, values, draft, copy=copy)
        manifest = Manifest(
            now.astimezone(UTC).isoformat(),
            str(values.root),
            batch_id,
            snapshot_id,
            tuple(not_covered),
            described(draft),
        )
        manifest.write(draft)
        draft.rename(target)
    except (OSError, sqlite3.Error, LakeNotFound) as problem:
        raise BackupFailed(f"no backup was made: {problem}") from problem
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target, manifest


def backups(folder: Path) -> list[Path]:
    """Finished backups in a folder, oldest first."""
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}") if _instant(path.parent))


def delete_old_backups(folder: Path, keep: int, now: datetime) -> int:
    """Delete all but the newest, and what backups that died left; returns how many."""
    old = backups(folder)[:-keep]
    dead = [
        path
        for path in folder.glob(f"{DRAFT}*")
        if path.stat().st_mtime < (now - DRAFT_AGE).timestamp()
    ]
    for path in (*old, *dead):
        shutil.rmtree(path)
    return len(old)


def newest_backup(folder: Path) -> datetime | None:
    """When the newest backup in a folder was made."""
    held = backups(folder)
    return _instant(held[-1]) if held else None


def _instant(backup: Path) -> datetime | None:
    try:
        return datetime.strptime(backup.name, NAME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def _take(
    lake: Lake, values: Settings, draft: Path, *, copy: bool
) -> tuple[list[str], int | None, int | None]:
    not_covered: list[str] = []
    if not values.mlflow_tracking_uri:
        # the registry goes first: every snapshot that its records name is then in the catalog
        if values.registry_store.exists():
            copy_database(values.registry_store, draft / STORE)
        # MLflow writes into existing files, so a link would change with them
        take_tree(values.root / ARTIFACTS, draft / ARTIFACTS, copy=True)
    else:
        not_covered.append(
            "the registry, which is a server (MLFLOW_TRACKING_URI): back it up there"
        )
    if values.hash_key:
        not_covered.append("the pseudonym key, which is in SHOAL_HASH_KEY: keep it with the backup")
    elif (values.root / KEY).exists():
        take_file(values.root / KEY, draft / KEY, copy=True)
        (draft / KEY).chmod(0o600)
    if values.catalog:
        not_covered.append(
            "catalog and data files, since the catalog is no file under SHOAL_HOME: stop the "
            "writers, run pg_dump on it, and copy SHOAL_DATA_PATH after that"
        )
        return not_covered, None, None
    catalog = Path(values.lake_catalog.removeprefix("sqlite:"))
    if not catalog.exists():
        raise LakeNotFound(f"no lake at {catalog}")
    copy_database(catalog, draft / CATALOG)
    if "://" in values.lake_data_path:
        not_covered.append(
            f"data files in {values.lake_data_path}: keep its objects for as long as the backup, "
            "by versions or a copy made after it"
        )
    else:
        take_tree(Path(values.lake_data_path), draft / DATA, copy=copy, suffixes=[".parquet"])
    with lake.reader(latest=True) as connection:
        missing = [
            path
            for path in files_of_catalog(connection)
            if "://" not in path and not Path(path).exists()
        ]
        if missing:
            raise LakeNotFound(
                f"{len(missing)} files of the lake are missing, such as {missing[0]}"
            )
        snapshot_id = published_snapshot(connection)
        row = connection.execute("select max(batch_id) from ops.batches").fetchone()
        waiting = waiting_work(connection, values, {}).files
    for file in waiting:
        take_file(file.path, draft / "landing" / file.path.relative_to(values.landing), copy=True)
    return not_covered, None if row is None else row[0], snapshot_id
