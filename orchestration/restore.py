"""Back to a backup: verified first, and with the present state kept aside."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration.backup import CATALOG, DATA, KEY, NAME_FORMAT, STORE
from orchestration.backup_files import Manifest, take_file, take_tree
from orchestration.lake import Lake, published_snapshot
from orchestration.live.heartbeat import read_heartbeat
from orchestration.settings import Settings
from orchestration.turn import LeaseTimeout

ALIVE_SECONDS = 60.0
PARTS = (KEY, "registry", "lake")
"""What a backup replaces; the lake comes last, so that there is none while it is not done."""
ARTIFACT_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


class RestoreRefused(RuntimeError):
    """Somebody works in the home, or the backup is not of this kind; nothing was changed."""


@dataclass(frozen=True)
class Restored:
    """What a restore did.

    Attributes
    ----------
    aside
        Where the state from before lies.
    """

    manifest: Manifest
    aside: Path


def restore_backup(lake: Lake, values: Settings, backup: Path, now: datetime) -> Restored:
    """Put catalog, data files, registry and key of a backup in place of the present ones.

    Landing, Dagster's records, reports and the collector's journals stay: the restored ledger
    does not know files that were taken since, so the next run takes them again.

    Raises
    ------
    BackupDamaged
        A file of the backup is missing or not as it was.
    RestoreRefused
        A writer, a daemon or a live worker works in the home.
    """
    manifest = Manifest.read(backup)
    manifest.verify(backup)
    if values.catalog and CATALOG in manifest.files:
        raise RestoreRefused(
            "the backup has a SQLite catalog, and SHOAL_CATALOG names a server: unset it first"
        )
    for reason in _at_work(values, now):
        raise RestoreRefused(f"{reason}; nothing was changed. Stop it and try again")
    patient = lake.model_copy(update={"lease_timeout_seconds": 0.0})
    instant = now.astimezone(UTC).strftime(NAME_FORMAT)
    aside = values.root.with_name(f"{values.root.name}.before-restore-{instant}")
    fresh = values.root.with_name(f"{values.root.name}.restoring-{instant}")
    try:
        with patient.lease("restore"):
            _prepare(values, manifest, backup, fresh)
            _exchange(values, backup, fresh, aside)
    except LeaseTimeout as problem:
        raise RestoreRefused(f"{problem}; nothing was changed") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _check(lake, manifest)
    return Restored(manifest, aside)


def _at_work(values: Settings, now: datetime) -> Iterator[str]:
    """Who works in the home besides a writer, for whom the lease speaks."""
    beat = read_heartbeat(values)
    if beat is not None and beat.is_alive(now):
        yield f"a live worker (process {beat.pid}) works in {values.root}"
    if not (values.dagster_home / "history").is_dir():
        return
    with dg.DagsterInstance.from_config(str(values.dagster_home)) as instance:
        for kind, heartbeat in instance.get_daemon_heartbeats().items():
            ago = now.timestamp() - heartbeat.timestamp
            if abs(ago) < ALIVE_SECONDS:
                yield (
                    f"a Dagster daemon ({kind}) gave a sign of life {ago:.0f} s ago in "
                    f"{values.dagster_home} (after it has stopped, wait {ALIVE_SECONDS:.0f} s)"
                )


def _prepare(values: Settings, manifest: Manifest, backup: Path, fresh: Path) -> None:
    """Lay out what the home will get, beside it, so that renaming is all that remains."""
    for name in manifest.files:
        if name == KEY or name.startswith(("registry/", CATALOG)):
            take_file(backup / name, fresh / name, copy=True)
    if (fresh / KEY).exists():
        (fresh / KEY).chmod(0o600)
    if (fresh / STORE).exists():
        _point_registry(fresh / STORE, manifest.home, str(values.root))
    if (fresh / CATALOG).exists():
        # data files are never changed, so they may share the backup's blocks
        is_apart = values.data_path is not None
        folder = Path(values.lake_data_path) if is_apart else fresh / DATA
        if (backup / DATA).exists():
            take_tree(backup / DATA, folder, copy=False)
        _point_catalog(fresh / CATALOG, values.lake_data_path)


def _exchange(values: Settings, backup: Path, fresh: Path, aside: Path) -> None:
    aside.mkdir(parents=True, mode=0o700)
    values.root.mkdir(parents=True, exist_ok=True)
    replaced = [part for part in PARTS if (fresh / part).exists()]
    for part in reversed(replaced):
        if (values.root / part).exists():
            (values.root / part).rename(aside / part)
    for part in replaced:
        (fresh / part).rename(values.root / part)
    # files that waited then; those that were taken since still lie in landing
    for path in sorted((backup / "landing").rglob("*")):
        landed = values.landing / path.relative_to(backup / "landing")
        if path.is_file() and not landed.exists():
            take_file(path, landed, copy=True)
    # views are made anew by the next set-up, for the code may be newer than the backup
    (values.root / "made_from").unlink(missing_ok=True)


def _check(lake: Lake, manifest: Manifest) -> None:
    if CATALOG not in manifest.files:
        return
    with lake.reader(latest=True) as connection:
        snapshot = published_snapshot(connection)
    if snapshot != manifest.snapshot_id:
        raise RuntimeError(
            f"the restored lake has published snapshot {snapshot}, its manifest says "
            f"{manifest.snapshot_id}: something wrote to it meanwhile"
        )


def _point_catalog(catalog: Path, data_path: str) -> None:
    with closing(sqlite3.connect(catalog)) as connection, connection:
        connection.execute(
            "update ducklake_metadata set value = ? where key = 'data_path'", [data_path]
        )


def _point_registry(store: Path, before: str, after: str) -> None:
    """Let a registry that has moved find its files: MLflow keeps absolute paths."""
    if before == after:
        return
    with closing(sqlite3.connect(store)) as connection, connection:
        for table, column in ARTIFACT_COLUMNS:
            connection.execute(
                f"update {table} set {column} = replace({column}, ?, ?)",
                [f"{before}/registry/", f"{after}/registry/"],
            )
