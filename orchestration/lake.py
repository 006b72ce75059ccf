"""The lake: DuckLake connections for readers and, one at a time, for a writer."""

import importlib.resources
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_duckdb import DuckDBResource
from filelock import FileLock, Timeout
from pydantic import PrivateAttr

from orchestration.catalog_holder import CatalogHolder
from orchestration.ingestion.sql import transaction
from orchestration.processes import step_back
from orchestration.settings import Settings, settings
from orchestration.snapshot_holds import hold
from orchestration.turn import LeaseTimeout, RunTurn, turn

EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner")
FILE_FORMAT = {"parquet_version": "2", "parquet_compression": "lz4_raw"}
"""How tables are kept: keys are read in half the time, from smaller files, than by the default
(snappy, version 1), and are written as fast; zstd would halve the files and the speed."""
LEASE_NOTICE_SECONDS = 10.0
CARRIES = "shoal/writes"
"""Tag of the runs that carry batches through, one at a time."""
BACKGROUND = "shoal/background"
"""Tag of the runs that nobody waits for: the live worker computes first."""
DAMAGE = (
    "file is not a database",
    "database disk image is malformed",
    "unsupported file format",
    "no such table: ducklake_",
    "Table with name ducklake_",
    "Existing DuckLake at metadata catalog",
)
"""How SQLite and DuckLake speak of a catalog that is no longer one."""
ADVICE = (
    "nothing was written. `shoal restore <folder>` goes back to a backup (docs/operations.md); "
    "without one, move the folder lake away and run the main job: landing is taken again"
)

_ATTACHED: dict[tuple[Any, ...], duckdb.DuckDBPyConnection] = {}
_CHECKED: set[Path] = set()
"""Folders of extensions whose signatures this process has checked."""


class LakeNotFound(RuntimeError):
    """There is no lake yet, or nothing has been published in it."""


class LakeDamaged(RuntimeError):
    """The catalog cannot be read, or is gone while its data files are there."""


class SnapshotGone(RuntimeError):
    """A snapshot of the lake that a record names has been expired."""


class Lake(DuckDBResource):
    """DuckDB in memory with the lake attached as its default database.

    Readers take no lease and see the last published snapshot; a writer holds the one
    cross-process lease, which the operating system frees when its process dies.
    """

    database: str = ":memory:"
    catalog: str
    data_path: str
    root: str
    memory_limit: str = "2GB"
    threads: int = 2
    lease_timeout_seconds: float = 3600

    @classmethod
    def from_settings(cls, values: Settings | None = None) -> "Lake":
        values = values or settings()
        return cls(
            catalog=values.lake_catalog,
            data_path=values.lake_data_path,
            root=str(values.root),
            memory_limit=values.memory_limit,
            threads=values.threads,
            lease_timeout_seconds=values.lease_timeout_seconds,
        )

    _run_turn: RunTurn = PrivateAttr(default_factory=RunTurn)
    _holder: CatalogHolder = PrivateAttr(default_factory=CatalogHolder)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """A run that carries batches through has the turn wherever a step needs it.

        One in the background leaves the processor to others.
        """
        run = context.dagster_run
        if run is not None and self._catalog_file is not None:
            self._holder.hold(self._catalog_file)
        if run is not None and CARRIES in run.tags:
            self._run_turn.begin(f"run {run.run_id}")
        if run is not None and BACKGROUND in run.tags:
            step_back()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        self.end_turn()
        self._holder.release()

    def give_way(self) -> None:
        """Let the live worker carry a batch: what the run has half done goes with it.

        Between two steps, and within one wherever it has read what it needs and writes nothing
        for a while. The next lease, or look at the live edge, waits for the turn again.
        """
        self._run_turn.give_way()

    def is_carried(self) -> bool:
        """Whether somebody has the turn right now."""
        try:
            with turn(self.lease_path.parent, "look", patience=0):
                return False
        except LeaseTimeout:
            return True

    def end_turn(self) -> None:
        """Let others carry batches through: what the run still does needs none to stand still."""
        self._run_turn.end()

    def use_threads(self, threads: int) -> None:
        """Let what this process has attached of the lake compute on so many threads from now on."""
        for (catalog, data_path, root, *_), instance in _ATTACHED.items():
            if (catalog, data_path, root) == (self.catalog, self.data_path, self.root):
                instance.execute(f"set threads = {int(threads)}")

    @property
    def holds(self) -> Path:
        """The folder of the snapshots that are being read."""
        return self.lease_path.with_name("readers")

    @property
    def lease_path(self) -> Path:
        return Path(self.root) / "lake" / "writer.lock"

    @contextmanager
    def writer(self, purpose: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the lease and give a connection that may write; the lake is made if needed."""
        with self.lease(purpose), self._damage_named():
            self._refuse_lost_catalog()
            with self._shared(read_only=False) as connection:
                yield connection

    @contextmanager
    def reader(self, *, latest: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a read-only connection at the last published snapshot, or at the live edge.

        Raises
        ------
        LakeNotFound
            When no lake exists, or nothing was published in it and ``latest`` is false.
        """
        if latest:
            self._take_turn()
        self._refuse_lost_catalog()
        if self._catalog_file is not None and not self._catalog_file.exists():
            raise LakeNotFound(f"no lake at {self._catalog_file}: run the main job (make demo)")
        with self._damage_named():
            with self._shared(read_only=True) as edge:
                if latest:
                    yield edge
                    return
                snapshot = published_snapshot(edge)
            if snapshot is None:
                raise LakeNotFound(
                    "nothing has been published yet: run the main job (make demo), "
                    "or look at the live edge with --latest"
                )
            with self.holding(snapshot), self._shared(True, snapshot) as connection:
                yield connection

    @contextmanager
    def holding(self, snapshot: int) -> Iterator[None]:
        """Keep upkeep from a snapshot, and from what it shows, while it is read."""
        with hold(self.holds, snapshot):
            yield

    @contextmanager
    def together(self, purpose: str) -> Iterator["Lake"]:
        """Give a lake whose writers, and readers of the live edge, share one transaction.

        All that is written through it is one commit, or nothing.
        """
        with self.writer(purpose) as connection, transaction(connection):
            yield _OneTransaction(connection, self)

    @contextmanager
    def lease(self, purpose: str) -> Iterator[None]:
        """Hold the writer lease, and say on the way who holds it when it is taken.

        Whoever waits is next, so that a run of many short steps keeps nobody waiting for all.

        Raises
        ------
        LeaseTimeout
            When it was not free within ``lease_timeout_seconds``.
        """
        self._take_turn()
        self.lease_path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.lease_path, thread_local=False)
        started = time.monotonic()
        while True:
            waited = time.monotonic() - started
            patience = max(min(LEASE_NOTICE_SECONDS, self.lease_timeout_seconds - waited), 0)
            try:
                with FileLock(self.lease_path.with_name("lease-queue.lock"), timeout=patience):
                    lock.acquire(timeout=patience)
                break
            except Timeout:
                waited = time.monotonic() - started
                message = f"writer lease is held by {self.lease_holder()}; waited {waited:.0f} s"
                if waited >= self.lease_timeout_seconds:
                    raise LeaseTimeout(f"{message}; gave up on: {purpose}") from None
                dg.get_dagster_logger().info(message)
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "purpose": purpose}
        try:
            self._holder_path.write_text(json.dumps(holder))
            yield
        finally:
            self._holder_path.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def turn(self, purpose: str) -> Iterator[None]:
        """Hold the one right to carry batches through, from ingestion to publication.

        Raises
        ------
        LeaseTimeout
            When it was not free within ``lease_timeout_seconds``.
        """
        with turn(self.lease_path.parent, purpose, self.lease_timeout_seconds):
            yield

    def _take_turn(self) -> None:
        self._run_turn.take(self.lease_path.parent, self.lease_timeout_seconds)

    def lease_holder(self) -> str:
        """Who holds the writer lease, for people: ``free``, or process, host and purpose."""
        if self.lease_path.exists():
            try:
                with FileLock(self.lease_path, timeout=0):
                    return "free"
            except Timeout:
                pass
        try:
            holder: dict[str, Any] = json.loads(self._holder_path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return "a process that has not said who it is" if self.lease_path.exists() else "free"
        return f"process {holder['pid']} on {holder['host']} ({holder['purpose']})"

    @property
    def _holder_path(self) -> Path:
        return self.lease_path.with_suffix(".holder")

    @contextmanager
    def _shared(
        self, read_only: bool, snapshot: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Give a cursor on this process's attachment: opening another costs 0.3 s.

        There is one for writers, one of the live edge, and one of the newest snapshot that was
        asked for; whoever still reads from an earlier one keeps it open.
        """
        file = self._catalog_file
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        inode = file.stat().st_ino if file is not None and file.exists() else None
        lake = (self.catalog, self.data_path, self.root, read_only)
        key = (*lake, snapshot, inode)
        instance = _ATTACHED.get(key)
        if instance is None:
            if snapshot is not None:
                for other in [each for each in _ATTACHED if each[:4] == lake]:
                    if other[4] is not None:
                        _ATTACHED.pop(other, None)
            instance = open_engine(self.database, Path(self.root) / "extensions")
            self._configure(instance)
            data_path = None if read_only else self.data_path
            attach_lake(instance, self.catalog, data_path, read_only=read_only, snapshot=snapshot)
            if file is not None:
                key = (*lake, snapshot, file.stat().st_ino)  # attaching may have made it
            _ATTACHED[key] = instance
        with instance.cursor() as cursor:
            cursor.execute("use lake")
            yield cursor

    def _refuse_lost_catalog(self) -> None:
        """Refuse to make an empty lake over data files whose catalog is gone."""
        file = self._catalog_file
        if file is None or (file.exists() and file.stat().st_size):
            return
        folder = Path(self.data_path)
        if "://" not in self.data_path and any(folder.rglob("*.parquet")):
            raise LakeDamaged(
                f"{file} is {'empty' if file.exists() else 'missing'}, while {folder} has data: "
                f"{ADVICE}"
            )

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Say of a damaged catalog what it is and what to do."""
        try:
            yield
        except (duckdb.Error, RuntimeError) as problem:
            text = str(problem)
            if self._catalog_file is None or not any(sign in text for sign in DAMAGE):
                raise
            raise LakeDamaged(
                f"{self._catalog_file} is damaged ({text.splitlines()[0]}): {ADVICE}"
            ) from problem

    def _configure(self, connection: duckdb.DuckDBPyConnection) -> None:
        root = Path(self.root)
        connection.execute(f"set memory_limit = {_quoted(self.memory_limit)}")
        connection.execute(f"set threads = {self.threads}")
        connection.execute(f"set temp_directory = {_quoted(str(root / 'tmp'))}")
        if "://" not in self.data_path:
            # the system caches files, and forgets those that are gone: DuckDB kept 2.4 MB of them
            # for each hour of a soak
            connection.execute("set enable_external_file_cache = false")
        # by its guess of the rows DuckDB compares each event with every session of everyone: 28 s
        # instead of 0.2 where 190,000 events were taken for 177
        connection.execute("set global asof_loop_join_threshold = 0")

    @property
    def _catalog_file(self) -> Path | None:
        if not self.catalog.startswith("sqlite:"):
            return None
        return Path(self.catalog.removeprefix("sqlite:"))


class _OneTransaction(Lake):
    """A lake on a connection that holds the lease and is in a transaction."""

    _connection: duckdb.DuckDBPyConnection = PrivateAttr()

    def __init__(self, connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
        super().__init__(**lake.model_dump())
        self._connection = connection

    @contextmanager
    def writer(self, purpose: str) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self._connection

    @contextmanager
    def reader(self, *, latest: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        if latest:
            yield self._connection
            return
        with super().reader() as connection:
            yield connection


def open_engine(database: str, directory: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the lake's extensions.

    The first of a process checks their signatures, which takes 0.15 s; a later one is given the
    code that the process has loaded.
    """
    is_checked = directory in _CHECKED
    connection = duckdb.connect(database, config={"allow_unsigned_extensions": is_checked})
    load_extensions(connection, directory)
    connection.execute("set allow_unsigned_extensions = false")
    _CHECKED.add(directory)
    return connection


def load_extensions(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Load the lake's extensions from the installed wheels, without a download or a copy.

    ``directory`` is laid out as DuckDB expects it, with links into the wheels, so that dbt finds
    the extensions by name.
    """
    version = f"v{duckdb.__version__}"
    row = connection.execute("pragma platform").fetchone()
    assert row is not None
    folder = directory / version / str(row[0])
    for name in EXTENSIONS:
        package = importlib.resources.files(f"duckdb_extension_{name}")
        wheel = Path(str(package / "extensions" / version / f"{name}.duckdb_extension"))
        link = folder / wheel.name
        if link.readlink() != wheel if link.is_symlink() else not link.exists():
            folder.mkdir(parents=True, exist_ok=True)
            draft = folder / f".{name}.{os.getpid()}"
            draft.symlink_to(wheel)
            draft.replace(link)
    connection.execute(f"set extension_directory = {_quoted(str(directory))}")
    connection.execute("load ducklake; load sqlite_scanner")
    # else each question to the catalog sees a moment of its own, and a reader beside a merge may
    # miss rows (ADR 24)
    connection.execute("set global sqlite_disable_multithreaded_scans = true")
    # DuckLake asks for tables that need not be there, some fifty times a batch: no search for
    # names that are alike
    connection.execute("set global catalog_error_max_schemas = 0")


def attach_lake(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    data_path: str | None,
    *,
    read_only: bool = False,
    snapshot: int | None = None,
) -> None:
    """Attach the lake as ``lake`` and make it the default database."""
    options = ["read_only" if read_only else "data_inlining_row_limit 0"]
    if data_path is not None:
        options.append(f"data_path {_quoted(data_path)}")
    if snapshot is not None:
        options.append(f"snapshot_version {int(snapshot)}")
    if catalog.startswith("sqlite:") and not read_only:
        options.append("meta_journal_mode 'wal'")
    target = _quoted(f"ducklake:{catalog}")
    connection.execute(f"attach {target} as lake ({', '.join(options)}); use lake")


def set_file_format(connection: duckdb.DuckDBPyConnection) -> None:
    """Let files that the attached lake writes from now on have `FILE_FORMAT`."""
    options = connection.execute("select option_name, value from ducklake_options('lake')")
    known = dict(options.fetchall())
    for name, value in FILE_FORMAT.items():
        if known.get(name, "").removeprefix("V") != value:
            connection.execute(f"call lake.set_option({_quoted(name)}, {_quoted(value)})")


def published_snapshot(
    connection: duckdb.DuckDBPyConnection, *, at: int | None = None
) -> int | None:
    """The lake snapshot of the last run that finished, or None before the first.

    Parameters
    ----------
    at
        As readers saw it when this snapshot was the newest; else as they see it now.
    """
    version = "" if at is None else f" at (version => {at:d})"
    query = f"select max(snapshot_id) from lake.ops.batches{version}"
    try:  # every reader asks this: whether the table is there costs twice as much as to read it
        row = connection.execute(query).fetchone()
    except duckdb.CatalogException as missing:
        if "batches" not in str(missing).splitlines()[0]:
            raise
        return None
    return None if row is None else row[0]


def current_snapshot(connection: duckdb.DuckDBPyConnection) -> int:
    """The newest snapshot of the attached lake."""
    row = connection.execute("select max(snapshot_id) from ducklake_snapshots('lake')").fetchone()
    assert row is not None
    return int(row[0])


def require_snapshot(connection: duckdb.DuckDBPyConnection, snapshot: int) -> None:
    """Raise `SnapshotGone` unless the attached lake still has a snapshot."""
    row = connection.execute(
        "select bool_or(snapshot_id = ?), min(snapshot_id), max(snapshot_id) "
        "from ducklake_snapshots('lake')",
        [snapshot],
    ).fetchone()
    assert row is not None
    if not row[0]:
        raise SnapshotGone(
            f"snapshot {snapshot} of the lake is not there: it was expired, or is of another lake "
            f"(there are snapshots between {row[1]} and {row[2]})"
        )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
