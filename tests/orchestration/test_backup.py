"""After a restore the tables are those of the backup, and what was landed since is taken again."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.backup import BackupFailed, backups, delete_old_backups, make_backup
from orchestration.backup_files import BackupDamaged
from orchestration.cli import app
from orchestration.clock import set_clock
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake, LakeDamaged
from orchestration.live.heartbeat import Heartbeat, heartbeat_path, write_heartbeat
from orchestration.publication import publish
from orchestration.registry import Registry
from orchestration.restore import RestoreRefused, restore_backup
from orchestration.settings import Settings, settings
from orchestration.waiting import waiting_work

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ROWS = "select * exclude (batch_id) from {} order by all"
TABLES = ("raw.events", "ops.landed_files", "ops.rejected_rows")
"""All in them is from the files, except the number of the batch that took them."""

State = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A home that the command and this process's own settings name."""
    monkeypatch.setenv("SHOAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SHOAL_SETTLE_SECONDS", "0")
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    settings.cache_clear()
    yield settings()
    settings.cache_clear()


@pytest.fixture
def lake(home: Settings) -> Lake:
    lake = Lake.from_settings(home)
    with lake.writer("test set-up") as connection:
        create_tables(connection)
    return lake


def land(values: Settings, name: str, rows: int = 3) -> None:
    folder = values.landing / "events" / "arrived=2026-03-01T12"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{name}-{row},2026-02-01T00:00:00Z,page_view\n" for row in range(rows)]
    lines.append(f"{name}-bad,no time,page_view\n")
    (folder / f"{name}.csv").write_text("event_id,occurred_at,event_type\n" + "".join(lines))


def take(lake: Lake, values: Settings) -> None:
    """What a run does: take what waits, and publish it."""
    with lake.writer("take") as connection:
        files = waiting_work(connection, values, {}).files
        key = values.pseudonym_key()
        ingest_batch(connection, files, "2026-03-01T12", "run", NOW, key)
        set_clock(connection, values)
        publish(connection, NOW.replace(tzinfo=None))


def state(lake: Lake) -> State:
    with lake.reader() as connection:
        return {table: connection.execute(ROWS.format(table)).fetchall() for table in TABLES}


def emptied(catalog: bytes) -> bytes:
    return b""


def halved(catalog: bytes) -> bytes:
    return catalog[: len(catalog) // 2]


def scrambled(catalog: bytes) -> bytes:
    return Random(7).randbytes(len(catalog))


def with_a_bad_middle(catalog: bytes) -> bytes:
    third = len(catalog) // 3
    return catalog[:third] + Random(7).randbytes(third) + catalog[2 * third :]


def corrupt(lake: Lake, how: Callable[[bytes], bytes] | None) -> None:
    """Do to the catalog what a bad disk does; None takes it away."""
    catalog = Path(lake.catalog.removeprefix("sqlite:"))
    with lake.reader(latest=True) as connection:
        connection.execute("select 1")
    content = catalog.read_bytes()
    for path in catalog.parent.glob("catalog.sqlite*"):
        path.unlink()
    if how is not None:
        catalog.write_bytes(how(content))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "how",
    [
        with_a_bad_middle,
        pytest.param(emptied, marks=SLOW),
        pytest.param(halved, marks=SLOW),
        pytest.param(scrambled, marks=SLOW),
        pytest.param(None, marks=SLOW),
    ],
)
def test_a_damaged_catalog_is_restored(
    home: Settings, lake: Lake, tmp_path: Path, how: Callable[[bytes], bytes] | None
) -> None:
    land(home, "first", rows=3_000)
    take(lake, home)
    at_backup = state(lake)
    said = CliRunner().invoke(app, ["backup", str(tmp_path / "backups")])
    assert said.exit_code == 0, said.output
    assert "up to batch 1" in said.output
    (backup,) = backups(tmp_path / "backups")
    for name in ("second", "third"):
        land(home, name)
        take(lake, home)
    without_accident = state(lake)
    assert without_accident != at_backup

    corrupt(lake, how)
    for command in (["sql", "from raw.events"], ["status", "--check"], ["replay", "x"], ["alerts"]):
        refused = CliRunner().invoke(app, command)
        assert refused.exit_code != 0
        assert "shoal restore" in refused.output, (command, refused.output, refused.exception)
    with pytest.raises(LakeDamaged, match="shoal restore"):
        take(lake, home)

    restored = CliRunner().invoke(app, ["restore", str(backup)])
    assert restored.exit_code == 0, restored.output
    (aside,) = tmp_path.glob("home.before-restore-*")
    assert str(aside) in restored.output
    assert (aside / "lake" / "data").is_dir()
    assert state(lake) == at_backup
    take(lake, home)  # both files in one batch now, hence the tables without its number
    assert state(lake) == without_accident


def total(held: State) -> tuple[int, int, int]:
    """Rows, files of the ledger and rejected rows."""
    rows, files, rejected = (len(held[table]) for table in TABLES)
    return rows, files, rejected


def test_a_backup_serves_another_machine(
    home: Settings, lake: Lake, tmp_path: Path, empty_registry: Path
) -> None:
    """Home, lake and registry are gone, and the new home lies elsewhere."""
    home.registry_store.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty_registry, home.registry_store)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.txt").write_text("trees")
    registry = Registry(home)
    version = registry.register(
        "churn", tmp_path / "model", metrics={}, parameters={}, tags={"lake_snapshot": "3"}
    )
    registry.promote(version)
    land(home, "first", rows=3_000)
    take(lake, home)
    land(home, "waiting")
    expected, key = state(lake), home.pseudonym_key()
    path, manifest = make_backup(lake, home, tmp_path / "backups", NOW)
    assert manifest.batch_id == 1
    shutil.rmtree(home.root)

    moved = home.model_copy(update={"home": tmp_path / "elsewhere"})
    there = Lake.from_settings(moved)
    restore_backup(there, moved, path, LATER)
    assert state(there) == expected
    assert moved.pseudonym_key() == key
    champion = Registry(moved).champion("churn")
    assert champion is not None
    assert champion == Registry(moved).champion_by_mlflow("churn")
    assert champion.folder.is_relative_to(moved.root)
    assert (champion.folder / "model.txt").read_text() == "trees"
    take(there, moved)  # what waited when the backup was made is in it
    assert total(state(there)) == (3_003, 2, 2)


def test_a_backup_outlives_what_happens_to_the_home(
    home: Settings, lake: Lake, tmp_path: Path
) -> None:
    """Files are shared by hard links; writing and deleting in the home changes none of them."""
    land(home, "first", rows=3_000)
    take(lake, home)
    path, manifest = make_backup(lake, home, tmp_path / "backups", NOW)
    assert any(name.endswith(".parquet") for name in manifest.files)
    land(home, "second", rows=3_000)
    take(lake, home)
    shutil.rmtree(home.root)
    manifest.verify(path)


def test_copies_share_nothing(home: Settings, lake: Lake, tmp_path: Path) -> None:
    land(home, "first", rows=3_000)
    take(lake, home)
    linked, _ = make_backup(lake, home, tmp_path / "backups", NOW)
    copied, _ = make_backup(lake, home, tmp_path / "backups", LATER, copy=True)
    for folder, links in ((linked, 2), (copied, 1)):
        files = [*folder.rglob("*.parquet")]
        assert {file.stat().st_nlink for file in files} == {links}


def test_a_changed_backup_is_refused_before_anything_is_touched(
    home: Settings, lake: Lake, tmp_path: Path
) -> None:
    land(home, "first")
    take(lake, home)
    path, _ = make_backup(lake, home, tmp_path / "backups", NOW)
    catalog = path / "lake" / "catalog.sqlite"
    content = bytearray(catalog.read_bytes())
    content[5_000] ^= 1
    catalog.write_bytes(content)
    before = state(lake)
    with pytest.raises(BackupDamaged, match=r"1 of \d+ files .* lake/catalog\.sqlite"):
        restore_backup(lake, home, path, LATER)
    (path / "manifest.json").unlink()
    with pytest.raises(BackupDamaged, match="no finished backup"):
        restore_backup(lake, home, path, LATER)
    assert state(lake) == before
    assert not list(tmp_path.glob("home.*"))


def test_nothing_is_restored_under_a_writer_or_a_live_worker(
    home: Settings, lake: Lake, tmp_path: Path
) -> None:
    land(home, "first")
    take(lake, home)
    path, _ = make_backup(lake, home, tmp_path / "backups", NOW)
    with (
        lake.lease("a long batch"),
        pytest.raises(RestoreRefused, match=r"a long batch.*nothing was changed"),
    ):
        restore_backup(lake, home, path, LATER)
    write_heartbeat(home, Heartbeat("r", os.getpid(), LATER.isoformat(), 1, 1, 0.5, "test"))
    with pytest.raises(RestoreRefused, match="live worker"):
        restore_backup(lake, home, path, LATER)
    assert restore_backup(lake, home, path, LATER + timedelta(hours=1)).aside.is_dir()
    assert heartbeat_path(home).exists()


def test_secrets_are_for_the_owner_only(home: Settings, lake: Lake, tmp_path: Path) -> None:
    land(home, "first")
    take(lake, home)
    path, _ = make_backup(lake, home, tmp_path / "backups", NOW)
    assert path.stat().st_mode & 0o077 == 0
    assert (path / "hash_key").stat().st_mode & 0o777 == 0o600


def test_a_backup_of_a_damaged_lake_fails_and_leaves_older_ones(
    home: Settings, lake: Lake, tmp_path: Path
) -> None:
    land(home, "first", rows=3_000)
    take(lake, home)
    path, manifest = make_backup(lake, home, tmp_path / "backups", NOW)
    corrupt(lake, with_a_bad_middle)
    with pytest.raises(BackupFailed):
        make_backup(lake, home, tmp_path / "backups", LATER)
    assert backups(tmp_path / "backups") == [path]
    assert [p.name for p in (tmp_path / "backups").iterdir()] == [path.name]
    manifest.verify(path)


def test_a_backup_without_a_data_file_fails(home: Settings, lake: Lake, tmp_path: Path) -> None:
    land(home, "first", rows=3_000)
    take(lake, home)
    next(Path(lake.data_path).rglob("*.parquet")).unlink()
    with pytest.raises(BackupFailed, match="1 files of the lake are missing"):
        make_backup(lake, home, tmp_path / "backups", NOW)


def test_a_server_as_catalog_is_said_not_to_be_covered(
    home: Settings, lake: Lake, tmp_path: Path
) -> None:
    home.pseudonym_key()
    served = home.model_copy(update={"catalog": "postgres:dbname=shoal"})
    _, manifest = make_backup(lake, served, tmp_path / "backups", NOW)
    assert set(manifest.files) == {"hash_key"}
    assert "pg_dump" in " ".join(manifest.not_covered)


def test_only_the_newest_backups_stay(tmp_path: Path) -> None:
    for day in (1, 2, 3, 4):
        folder = tmp_path / f"2026030{day}T000000Z"
        folder.mkdir()
        (folder / "manifest.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".unfinished-20260301T000000Z").mkdir()
    assert delete_old_backups(tmp_path, 2, datetime.now(UTC) + timedelta(days=2)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "20260303T000000Z",
        "20260304T000000Z",
        "notes",
    ]
