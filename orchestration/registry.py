"""The model registry: MLflow with text artifacts, a champion alias per task."""

import logging
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import PROJECT_ROOT, Settings, settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"


@dataclass(frozen=True)
class Version:
    """One registered model: its files are in ``folder``."""

    task: str
    number: int
    folder: Path
    tags: Mapping[str, str]

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

    def promote(self, version: Version) -> None:
        """Make this version the one that scores."""
        self._client().set_registered_model_alias(version.task, CHAMPION, str(version.number))

    def champion(self, task: str) -> Version | None:
        """The version that scores, or None before the first training.

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
        client = self._client()
        found = client.search_registered_models(filter_string=f"name = '{task}'")
        if not found or CHAMPION not in found[0].aliases:
            return None
        return self._version(client, client.get_model_version_by_alias(task, CHAMPION))

    def _version(self, client: "MlflowClient", version: Any) -> Version:
        folder = client.download_artifacts(version.run_id, "", dst_path=None)
        return Version(version.name, int(version.version), Path(folder), dict(version.tags))

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


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for the files of one model until they are registered."""
    return tempfile.TemporaryDirectory(prefix="shoal-model-")
