"""The one reader of the environment: every variable has the prefix ``SHOAL_`` or is in ``.env``."""

import os
import secrets
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """What a deployment decides; every field is documented in ``.env.example``."""

    model_config = SettingsConfigDict(
        env_prefix="SHOAL_", env_file=PROJECT_ROOT / ".env", env_ignore_empty=True, extra="ignore"
    )

    home: Path = Path(".shoal")
    catalog: str | None = None
    data_path: str | None = None
    hash_key: str | None = None
    sources: Path = PROJECT_ROOT / "sources"
    segments: Path = PROJECT_ROOT / "segments"
    listening: Path = PROJECT_ROOT / "listening" / "terms.yml"
    texts: Path = PROJECT_ROOT / "texts"
    read_texts: bool = True

    clock: Literal["history", "live"] = "history"
    as_of: datetime | None = None
    churn_horizon_days: int | None = Field(default=None, ge=1, le=730)
    purchase_horizon_days: int | None = Field(default=None, ge=1, le=730)
    inactivity_horizon_days: int | None = Field(default=None, ge=1, le=730)
    top_categories: int = Field(default=5, ge=1, le=100)
    as_of_step_days: int = Field(default=14, ge=1)
    as_of_count: int = Field(default=13, ge=3)
    training_rows: int = Field(default=1_000_000, ge=1_000)

    settle_seconds: float = Field(default=1.0, ge=0)
    # below the 5 s of Dagster's own loop: a minimum of 5 s skips every tick that comes early
    sensor_seconds: int = Field(default=4, ge=1)
    sensor_watch_seconds: float = Field(default=4.0, ge=0, lt=30)
    live: bool = True
    live_minutes: float = Field(default=120, gt=0)
    live_grace_seconds: float = Field(default=30, ge=0)
    live_threads: int = Field(default=1, ge=1)
    plausible_skill: float = Field(default=0.95, ge=0.5, le=1)
    evaluation_origins: int = Field(default=4, ge=1)
    evaluation_rows: int = Field(default=200_000, ge=1_000)
    monotone: bool | None = None
    search_trials: int = Field(default=40, ge=1)
    search_seconds: float = Field(default=600, gt=0)
    search_rows: int = Field(default=100_000, ge=1_000)
    contact_cost: float = Field(default=5.0, ge=0)
    value_kept: float | None = Field(default=None, gt=0)
    save_rate: float = Field(default=0.05, gt=0, le=1)
    segment_features: Literal["rfm", "habits"] = "rfm"
    segment_family: str | None = None
    segment_count: int | None = Field(default=None, ge=2, le=50)
    drift_threshold: float = Field(default=0.5, ge=0, le=1)
    promotion_max_ece: float = Field(default=0.1, gt=0, le=1)
    promotion_max_ratio: float = Field(default=1.5, gt=1)
    promotion_min_rows_per_second: float = Field(default=20_000, gt=0)
    alert_urls: str = ""
    alert_fresh_hours: float = Field(default=24, gt=0)
    alert_history_days: int = Field(default=90, ge=1)
    alert_cool_down_hours: float = Field(default=24, ge=0)
    lease_timeout_seconds: float = Field(default=3600, gt=0)
    memory_limit: str = "2GB"
    dbt_threads: int = Field(default=1, ge=1)
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    seed: int = 7

    health_host: str = "127.0.0.1"
    health_port: int = Field(default=8089, ge=0, le=65_535)
    health_degraded_minutes: float = Field(default=15, gt=0)
    health_failing_minutes: float = Field(default=60, gt=0)
    health_free_mb: float = Field(default=1_000, ge=0)
    health_backup_hours: float | None = Field(default=None, gt=0)

    backups: Path | None = None
    keep_backups: int = Field(default=7, ge=1)
    keep_snapshot_days: float = Field(default=7, ge=0)
    reader_grace_hours: float = Field(default=24, ge=0)
    keep_versions: int = Field(default=12, ge=1)
    keep_score_days: float = Field(default=400, gt=0)
    keep_run_days: float = Field(default=14, gt=0)
    keep_runs: int = Field(default=2_000, ge=10)

    collector_keys: str = ""
    collector_host: str = "127.0.0.1"
    collector_port: int = Field(default=8088, ge=0, le=65_535)
    collector_origins: str = "*"
    collector_roll_seconds: float = Field(default=1.0, gt=0)
    collector_roll_mb: float = Field(default=64.0, gt=0)
    collector_queue_mb: float = Field(default=64.0, gt=0)
    collector_min_free_mb: float = Field(default=500.0, ge=0)
    collector_orders: bool = True
    collector_keep_ip: bool = False
    collector_mapping: Path = PROJECT_ROOT / "collector" / "segment.yml"

    mlflow_tracking_uri: str | None = Field(default=None, validation_alias="MLFLOW_TRACKING_URI")

    @property
    def root(self) -> Path:
        """Where everything written at run time lives; a relative path counts from the project."""
        return self.home if self.home.is_absolute() else PROJECT_ROOT / self.home

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def collector_home(self) -> Path:
        """Where the collector keeps journals that are not in landing yet."""
        return self.root / "collector"

    @property
    def live_home(self) -> Path:
        """Where the live worker keeps its locks, its signs of life and what it recorded."""
        return self.root / "live"

    @property
    def language_models(self) -> Path:
        """Where the copy of the language model is kept that runs without PyTorch."""
        return self.root / "models"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def alert_file(self) -> Path:
        """Where every alert that is told is written, one JSON object per line."""
        return self.root / "alerts" / "alerts.jsonl"

    @property
    def lake_catalog(self) -> str:
        """What follows ``ducklake:`` in an attach: the SQLite file unless a server is named."""
        return self.catalog or f"sqlite:{self.root / 'lake' / 'catalog.sqlite'}"

    @property
    def lake_data_path(self) -> str:
        return self.data_path or f"{self.root / 'lake' / 'data'}/"

    @property
    def backup_folder(self) -> Path:
        """Where backups go that are not told where: beside the home, which they outlive."""
        return self.backups or self.root.with_name(f"{self.root.name}.backups")

    @property
    def dagster_home(self) -> Path:
        """Where Dagster keeps runs and ticks: ``DAGSTER_HOME``, or a folder of this home."""
        return Path(os.environ.get("DAGSTER_HOME") or self.root / "dagster")

    @property
    def extension_directory(self) -> Path:
        return self.root / "extensions"

    @property
    def registry_store(self) -> Path:
        """MLflow's database, unless a server is named."""
        return self.root / "registry" / "mlflow.sqlite"

    @property
    def tracking_uri(self) -> str:
        return self.mlflow_tracking_uri or f"sqlite:///{self.registry_store}"

    def pseudonym_key(self) -> str:
        """Secret key of the customer hash, made once on the first use when none is given.

        Whoever loses it can no longer tell that a new row belongs to a known customer, so it is
        part of every backup.
        """
        if self.hash_key:
            return self.hash_key
        path = self.root / "hash_key"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32))
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process made it first; its key counts
            finally:
                draft.unlink()
        return path.read_text().strip()

    def dbt_environment(self) -> dict[str, str]:
        """The variables that ``dbt_project/profiles.yml`` reads.

        Their names are none of the settings', so that exporting one deployment's does not
        configure another in the same process.
        """
        return {
            "SHOAL_DBT_HOME": str(self.root),
            "SHOAL_DBT_CATALOG": self.lake_catalog,
            "SHOAL_DBT_MEMORY_LIMIT": self.memory_limit,
            "SHOAL_DBT_CORES": str(self.threads),
            "SHOAL_DBT_THREADS": str(self.dbt_threads),
            "DBT_PROFILES_DIR": str(PROJECT_ROOT / "dbt_project"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }

    def export(self) -> None:
        """Put what dbt and Dagster read into this process's environment; nobody is tracked."""
        os.environ.update(self.dbt_environment())
        os.environ["DAGSTER_HOME"] = str(self.dagster_home)
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "1")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
