"""The model registry: MLflow with text artifacts, a champion alias per task."""

import json
import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import PROJECT_ROOT, Settings, settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "scipy", "pandas")
CHAMPION = "champion"
SNAPSHOT = "lake_snapshot"
"""Tag of a version: the snapshot of the lake that it learnt from."""
CHALLENGER = "challenger"
REIGN = "champion_since."
"""A task's tags with this prefix and an instant are the log of its champions."""


class NoSuchVersion(LookupError):
    """A task, or a version of it, that the registry does not hold."""


@dataclass(frozen=True)
class Reign:
    """From when on a version scores, and why."""

    number: int
    since: str
    reason: str
    is_rollback: bool


@dataclass(frozen=True)
class Version:
    """One registered model: its files are in ``folder``."""

    task: str
    number: int
    folder: Path
    tags: Mapping[str, str]
    made_at: datetime | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        return f"{self.task}:{self.number}"


class Registry:
    """Registered models of this deployment, by task.

    Parameters
    ----------
    values
        Where the store is; ``MLFLOW_TRACKING_URI`` names a server instead.
    """

    def __init__(self, values: Settings | None = None) -> None:
        self._values = values or settings()

    def register(
        self,
        task: str,
        folder: Path,
        *,
        metrics: Mapping[str, float],
        parameters: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> Version:
        """Keep the files of one trained model as the next version of its task."""
        client = self._client()
        experiment = client.get_experiment_by_name(task)
        experiment_id = (
            experiment.experiment_id
            if experiment
            else client.create_experiment(task, artifact_location=self._artifact_location(task))
        )
        run = client.create_run(experiment_id, tags=dict(tags))
        with _finished(client, run.info.run_id):
            for name, value in parameters.items():
                client.log_param(run.info.run_id, name, value)
            for name, value in metrics.items():
                client.log_metric(run.info.run_id, name, value)
            client.log_artifacts(run.info.run_id, str(folder))
        if not client.search_registered_models(filter_string=f"name = '{task}'"):
            client.create_registered_model(task)
        version = client.create_model_version(
            task, source=run.info.artifact_uri, run_id=run.info.run_id, tags=dict(tags)
        )
        return self._version(client, version)

    def challenge(self, version: Version) -> None:
        """Make this version the challenger, whose promotion is yet to be decided."""
        self._client().set_registered_model_alias(version.task, CHALLENGER, str(version.number))

    def promote(self, version: Version, reason: str = "") -> None:
        """Make this version the one that scores; the reason goes to the log of champions."""
        self._reign(version, reason, is_rollback=False)

    def roll_back(self, task: str, to: int | None = None, reason: str = "") -> Version:
        """Make an earlier champion score again: the one before, or the version named.

        Raises
        ------
        NoSuchVersion
            No such task or version, or no earlier champion is on record.
        """
        if to is None:
            champion = self._by_mlflow(task, CHAMPION)
            stack = champions_in_force(self.reigns(task))
            if champion is not None and champion.number in stack:
                stack = stack[: stack.index(champion.number) + 1]
            if len(stack) < 2:
                held = ", ".join(str(version.number) for version in self.versions(task))
                raise NoSuchVersion(
                    f"no earlier champion of {task} is on record: name a version with --to "
                    f"(there are: {held})"
                )
            to = stack[-2]
        version = self.version(task, to)
        self._reign(version, reason, is_rollback=True)
        return version

    def aliases(self, task: str) -> dict[int, tuple[str, ...]]:
        """Aliases of each version of a task that has one."""
        found = self._client().search_registered_models(filter_string=f"name = '{_name(task)}'")
        by_number: dict[int, tuple[str, ...]] = {}
        for alias, number in sorted(found[0].aliases.items()) if found else ():
            by_number[int(number)] = (*by_number.get(int(number), ()), alias)
        return by_number

    def reigns(self, task: str) -> list[Reign]:
        """The log of a task's champions, oldest first.

        Raises
        ------
        NoSuchVersion
        """
        found = self._client().search_registered_models(filter_string=f"name = '{_name(task)}'")
        if not found:
            raise NoSuchVersion(f"no model of {task!r} has been trained yet")
        log = sorted((k, v) for k, v in found[0].tags.items() if k.startswith(REIGN))
        return [Reign(since=key.removeprefix(REIGN), **json.loads(value)) for key, value in log]

    def tasks(self) -> list[str]:
        """Names under which versions are kept: tasks, and what was searched or clustered."""
        return sorted(model.name for model in self._client().search_registered_models())

    def forget(self, version: Version) -> None:
        """Delete a version with its record and, in a local store, its files."""
        client = self._client()
        run_id = client.get_model_version(version.task, str(version.number)).run_id
        client.delete_model_version(version.task, str(version.number))
        if run_id is not None:
            client.delete_run(run_id)
        if self._artifact_location(version.task) is not None:
            shutil.rmtree(version.folder, ignore_errors=True)

    def versions(self, task: str) -> list[Version]:
        """Every version of a task with its files, oldest first."""
        client = self._client()
        found = client.search_model_versions(f"name = '{_name(task)}'")
        return sorted((self._version(client, v) for v in found), key=lambda v: v.number)

    def lake_snapshots(self) -> set[int]:
        """Snapshots of the lake that versions of any task learnt from.

        The live worker asks every ten seconds; as for `champion` the local store's tables are
        read as they are.
        """
        if self._values.mlflow_tracking_uri:
            return self.lake_snapshots_by_mlflow()
        store = self._values.registry_store
        if not store.exists():
            return set()
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "select tags.value from model_version_tags as tags "
                "inner join model_versions as versions "
                "on tags.name = versions.name and tags.version = versions.version "
                "where tags.key = ? and versions.current_stage <> 'Deleted_Internal'",
                [SNAPSHOT],
            ).fetchall()
        return {int(value) for (value,) in rows}

    def lake_snapshots_by_mlflow(self) -> set[int]:
        """The same, as MLflow's client says."""
        versions = (version for task in self.tasks() for version in self.versions(task))
        return {int(one.tags[SNAPSHOT]) for one in versions if SNAPSHOT in one.tags}

    def newest(self, task: str) -> Version | None:
        """The version of a task that was registered last, or None while it has none."""
        client = self._client()
        found = client.search_model_versions(
            f"name = '{_name(task)}'", max_results=1, order_by=["version_number DESC"]
        )
        return self._version(client, found[0]) if found else None

    def version(self, task: str, number: int) -> Version:
        """One version of a task.

        Raises
        ------
        NoSuchVersion
        """
        held = self.versions(task)
        for version in held:
            if version.number == number:
                return version
        numbers = ", ".join(str(version.number) for version in held) or "none"
        raise NoSuchVersion(f"{task} has no version {number} (there are: {numbers})")

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        """Add to the record of a version."""
        client = self._client()
        for key, value in tags.items():
            client.set_model_version_tag(version.task, str(version.number), key, value[:5_000])

    def add_files(self, version: Version, folder: Path) -> None:
        """Keep further files with those of a version."""
        client = self._client()
        run_id = client.get_model_version(version.task, str(version.number)).run_id
        assert run_id is not None  # `register` always names its run
        client.log_artifacts(run_id, str(folder))

    def challenger(self, task: str) -> Version | None:
        """The newest version whose promotion is undecided or was refused, if there is one."""
        return self._by_mlflow(task, CHALLENGER)

    def champion(self, task: str) -> Version | None:
        """The version that scores, or None before the first promotion.

        Every batch asks, and importing MLflow takes a second or two: the local store's tables are
        read as they are. What MLflow itself would say is `champion_by_mlflow`.
        """
        if self._values.mlflow_tracking_uri:
            return self.champion_by_mlflow(task)
        store = self._values.registry_store
        if not store.exists():
            return None
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute(
                "select versions.version, versions.source "
                "from registered_model_aliases as aliases inner join model_versions as versions "
                "on aliases.name = versions.name and aliases.version = versions.version "
                "where aliases.name = ? and aliases.alias = ?",
                [task, CHAMPION],
            ).fetchone()
            if row is None:
                return None
            tags = connection.execute(
                "select key, value from model_version_tags where name = ? and version = ?",
                [task, row[0]],
            ).fetchall()
        return Version(task, int(row[0]), Path(row[1].removeprefix("file://")), dict(tags))

    def champion_by_mlflow(self, task: str) -> Version | None:
        """The version that scores, as MLflow's client says."""
        return self._by_mlflow(task, CHAMPION)

    def _by_mlflow(self, task: str, alias: str) -> Version | None:
        client = self._client()
        found = client.search_registered_models(filter_string=f"name = '{task}'")
        if not found or alias not in found[0].aliases:
            return None
        return self._version(client, client.get_model_version_by_alias(task, alias))

    def _reign(self, version: Version, reason: str, *, is_rollback: bool) -> None:
        """Log first, then move the alias: a crash between the two leaves the old champion."""
        client = self._client()
        model = client.get_registered_model(version.task)
        number = str(version.number)
        if CHAMPION in model.aliases and not any(key.startswith(REIGN) for key in model.tags):
            before = Reign(int(model.aliases[CHAMPION]), "", "champion before the log", False)
            self._log(client, version.task, before)
        self._log(client, version.task, Reign(version.number, "", reason[:4_000], is_rollback))
        client.set_registered_model_alias(version.task, CHAMPION, number)
        if str(model.aliases.get(CHALLENGER)) == number:
            client.delete_registered_model_alias(version.task, CHALLENGER)

    def _log(self, client: "MlflowClient", task: str, reign: Reign) -> None:
        since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        entry = {key: value for key, value in asdict(reign).items() if key != "since"}
        client.set_registered_model_tag(task, f"{REIGN}{since}", json.dumps(entry))

    def _version(self, client: "MlflowClient", version: Any) -> Version:
        folder = client.download_artifacts(version.run_id, "", dst_path=None)
        made_at = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
        return Version(
            version.name, int(version.version), Path(folder), dict(version.tags), made_at
        )

    def _artifact_location(self, task: str) -> str | None:
        if self._values.mlflow_tracking_uri:
            return None  # a server decides for itself
        return str(self._values.root / "registry" / "artifacts" / task)

    def _client(self) -> "MlflowClient":
        from mlflow import MlflowClient  # heavy: only where models are read or kept

        for name in ("mlflow", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)

        self._values.registry_store.parent.mkdir(parents=True, exist_ok=True)
        uri = self._values.tracking_uri
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def champions_in_force(reigns: list[Reign]) -> list[int]:
    """Versions by promotion with rollbacks taken off: the last one scores, the one before is next.

    A rollback to a version that was champion drops every one promoted after it, so that two
    rollbacks go back two champions.
    """
    stack: list[int] = []
    for reign in reigns:
        if reign.is_rollback and reign.number in stack:
            stack = stack[: stack.index(reign.number) + 1]
        elif stack[-1:] != [reign.number]:
            stack.append(reign.number)
    return stack


def _name(task: str) -> str:
    if not task.isidentifier():
        raise NoSuchVersion(f"{task!r} is no name of a task")
    return task


@contextmanager
def _finished(client: "MlflowClient", run_id: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")


def code_version() -> str:
    """The commit that this process runs, or "unknown" outside a repository."""
    head = PROJECT_ROOT / ".git" / "HEAD"
    if not head.exists():
        return "unknown"
    content = head.read_text().strip()
    if not content.startswith("ref: "):
        return content
    reference = PROJECT_ROOT / ".git" / content.removeprefix("ref: ")
    return reference.read_text().strip() if reference.exists() else "unknown"


def library_versions() -> str:
    """Versions of the libraries that a trained model depends on, as one line."""
    return " ".join(f"{name}={metadata.version(name)}" for name in LIBRARIES)


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for the files of one model until they are registered."""
    return tempfile.TemporaryDirectory(prefix="shoal-model-")
