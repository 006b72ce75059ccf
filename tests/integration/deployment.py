"""A deployment in a folder of its own, driven by the commands that people use."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from orchestration.ingestion.ingest import ingest_batch
from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.waiting import waiting_work

SHOAL = Path(sys.executable).with_name("shoal")
TABLES = ("marts.customer_scores", "marts.customer_features", "marts.orders", "raw.events")


class Deployment:
    """A home of its own, driven by commands."""

    def __init__(self, home: Path) -> None:
        self.values = Settings(home=home, _env_file=None)  # type: ignore[call-arg]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("SHOAL_", "DAGSTER_"))},
            "SHOAL_HOME": str(home),
            "SHOAL_SETTLE_SECONDS": "0",
            "COLUMNS": "200",
        }

    def run(self, *command: str) -> str:
        """Run a command in the project and return what it printed; it has to succeed."""
        done = self._done(command)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def refused(self, *command: str) -> str:
        """Run a command that has to end with exit code 1; returns what it says of it."""
        done = self._done(command)
        assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        return done.stderr

    def _done(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=PROJECT_ROOT, env=self.environment, capture_output=True, text=True
        )

    def batch_job(self) -> None:
        """What the sensor starts: one batch, ingestion to published scores."""
        self.job("batch_job")

    def job(self, name: str) -> None:
        """Run a job on what waits in landing."""
        hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
        self.run(
            sys.executable,
            "-c",
            f"from orchestration.demo import run_job; run_job('{name}', '{hour}')",
        )

    def ingest_only(self) -> None:
        """What a run leaves that dies after ingestion: a batch in raw, and in no other table."""
        values = self.values.model_copy(update={"settle_seconds": 0})
        with Lake.from_settings(values).writer("test: ingest") as connection:
            files = waiting_work(connection, values, {}).files
            ingest_batch(
                connection,
                files,
                files[0].partition_key,
                "a run that died",
                datetime.now(UTC),
                values.pseudonym_key(),
            )

    def query(self, query: str) -> list[tuple[object, ...]]:
        with Lake.from_settings(self.values).reader() as connection:
            return connection.execute(query).fetchall()

    def fingerprints(self) -> dict[str, object]:
        """One hash per table over all its rows, whatever their order."""
        return {
            table: self.query(f"select count(*), bit_xor(hash(t)) from {table} as t")
            for table in TABLES
        }

    def drop(self, name: str, rows: list[dict[str, object]], entity: str = "events") -> Path:
        path = self.values.landing / entity / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path
