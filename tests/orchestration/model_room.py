"""A deployment whose lake holds a small known market, and models trained on it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.churn import CHURN
from ml.tasks import TASKS
from ml.trained import TrainedModel
from orchestration.champions import Champion, load_champion
from orchestration.lake import Lake
from orchestration.promotion import Decision, carry_out, decide
from orchestration.registry import Registry, Version
from orchestration.settings import Settings, settings
from orchestration.training import train_task
from tests.ml.known_market import DATES, HORIZON, market
from tests.orchestration.empty_lakes import empty_lake, release

LOG = logging.getLogger("test")
NOW = datetime(2026, 6, 1)
NAMES = {"gap_mean": "order_gap_mean", "orders_30d": "order_days_30d"}
NOT_FEATURES = ["customer_key", "as_of", "label"]


def market_frame(customers: int = 160, seed: int = 0) -> pd.DataFrame:
    """The known market, in the names of the feature catalogue."""
    frame = market(customers, seed).rename(columns=NAMES)
    return frame.assign(days_since_last_event=frame["days_since_last_order"])


@contextmanager
def model_room(home: Path, empty_registry: Path) -> Iterator[ModelRoom]:
    """A deployment in a folder, named by the environment while it is used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHOAL_HOME", str(home))
        patch.setenv("SHOAL_THREADS", "1")
        settings.cache_clear()
        values = settings()
        values.registry_store.parent.mkdir(parents=True)
        shutil.copy(empty_registry, values.registry_store)
        lake = empty_lake(values)
        yield ModelRoom(values, lake)
        release(lake)
    settings.cache_clear()


class ModelRoom:
    """A deployment of which only the tables around the models are there."""

    def __init__(self, values: Settings, lake: Lake) -> None:
        self.values = values
        self.lake = lake
        self.registry = Registry(values)

    def hold(self, frame: pd.DataFrame, dates: int = len(DATES)) -> None:
        """Make the first as-of dates of a labelled frame, all that the lake knows of the past.

        The newest of them is also what customers look like now.
        """
        known = frame[frame["as_of"] <= DATES[dates - 1].to_datetime64()]
        history = known.drop(columns="label")  # noqa: F841  (DuckDB reads it by its name)
        labels = self._labels(known)  # noqa: F841
        now = self._now(known)  # noqa: F841
        with self.lake.writer("test: hold a market") as connection:
            for name, source in (
                ("customer_feature_history", "history"),
                ("customer_labels", "labels"),
                ("customer_features", "now"),
            ):
                connection.execute(f"create or replace table marts.{name} as from {source}")
            connection.execute(
                "create table if not exists marts.customer_segments as select customer_key, "
                "1::integer as segment_id, 'all' as segment_name from marts.customer_features"
            )

    def _labels(self, known: pd.DataFrame) -> pd.DataFrame:
        keys = known[["customer_key", "as_of"]]
        buys = 1 - known["label"]
        spend = buys * (10 + known["revenue_90d"].clip(0, 1e6).fillna(0))
        per_outcome = {
            "no purchase": known["label"],
            "purchase": buys,
            "spend": spend,
            "no activity": known["label"],
        }
        return pd.concat(
            keys.assign(
                task=name, label=per_outcome[task.outcome].astype(float), horizon_days=HORIZON
            )
            for name, task in TASKS.items()
        )

    def _now(self, known: pd.DataFrame) -> pd.DataFrame:
        newest = known[known["as_of"] == known["as_of"].max()]
        return newest.drop(columns="label").assign(batch_id=np.int64(1))

    def train(
        self, features: Sequence[str] | None = None
    ) -> tuple[TrainedModel | None, dict[str, Any]]:
        """Train churn and register it as the challenger."""
        return train_task(CHURN, self.lake, LOG, features)

    def challenger(self, features: Sequence[str] | None = None) -> Version:
        self.train(features)
        version = self.registry.challenger("churn")
        assert version is not None
        return version

    def champion(self) -> Champion:
        champion = load_champion(self.registry, "churn")
        assert champion is not None
        return champion

    def decide(
        self, challenger: Version, change: Callable[[Settings], Settings] = lambda values: values
    ) -> Decision:
        """Decide on a challenger against the champion in force, and carry it out."""
        decision = decide(
            CHURN,
            challenger,
            load_champion(self.registry, "churn"),
            self.lake,
            change(self.values),
        )
        carry_out(self.registry, challenger, decision)
        return decision

    def scores(self) -> pd.DataFrame:
        with self.lake.reader(latest=True) as connection:
            return connection.execute("from marts.customer_scores order by customer_key").df()
