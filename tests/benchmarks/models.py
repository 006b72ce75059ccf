"""Training on a long history of many customers, scoring them, and saying why."""

import json
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.models import Champion, load_champions
from orchestration.phrases import feature_phrases
from orchestration.registry import Registry
from orchestration.score_tables import (
    BATCH_ROWS,
    explain_features,
    population,
    predict_features,
)
from tests.benchmarks.figures import Figure, load, median
from tests.benchmarks.home import BenchFailed, BenchHome, python, script
from tests.benchmarks.large_history import draw_rows, history

DATES = 26
TRAINING_TARGET_SECONDS, TRAINING_TARGET_MB = 300.0, 6 * 1024.0
SCORED, EXPLAINED = 100_000, 10_000
ROUNDS = 3


def measure(bench: BenchHome, customers: int) -> list[Figure]:
    """Train on `customers` times `DATES` rows, and time the champions of the bench home."""
    return [*_training(bench, customers), *_scoring(bench)]


def _training(bench: BenchHome, customers: int) -> list[Figure]:
    large = BenchHome(bench.root / "models", bench.threads)
    large.clear()
    large.run("setup", script("shoal", "setup"))
    rows = _table(bench, "customer_feature_history")
    with Lake.from_settings(large.values()).writer("benchmark") as connection:
        connection.execute("create schema if not exists marts")
        for features, labels in history(rows, customers, DATES, bench.values().seed):
            for name, chunk in (
                ("customer_feature_history", features),
                ("customer_labels", labels),
            ):
                connection.register("chunk", chunk)
                connection.execute(f"create table if not exists marts.{name} as from chunk limit 0")
                connection.execute(f"insert into marts.{name} from chunk")
    usage = large.run("train_value", python("-m", "tests.benchmarks.train_value"))
    trained = json.loads(large.log("train_value").read_text().splitlines()[-1])
    return [
        Figure("models.training.history", customers * DATES, "rows"),
        Figure("models.training.rows", trained["rows"], "rows"),
        Figure("models.training", usage.seconds, "s", TRAINING_TARGET_SECONDS),
        Figure("models.training.cpu", usage.cpu_seconds, "s"),
        Figure("models.training.memory", usage.peak_mb, "MB", TRAINING_TARGET_MB),
        Figure("models.training.load_before", usage.load, "processes"),
    ]


def _scoring(bench: BenchHome) -> list[Figure]:
    values = bench.values()
    champions = load_champions(Registry(values))
    if set(champions) != set(TASKS):
        missing = ", ".join(sorted(set(TASKS) - set(champions)))
        raise BenchFailed(
            f"no champion of {missing} in {bench.deployment}: run without --skip-race"
        )
    everyone = _table(bench, "customer_features")
    active = np.logical_and.reduce(
        [population(everyone, task, champions).to_numpy() for task in TASKS.values()]
    )
    rng = np.random.default_rng(values.seed)
    features = draw_rows(everyone[active], SCORED, rng)
    few = features.iloc[:EXPLAINED]
    predictions = predict_features(few, champions, bench.threads)
    phrases = feature_phrases()
    busy = load()
    scoring = _seconds(lambda: _score(features, champions, bench.threads))
    reasons = _seconds(
        lambda: explain_features(few, predictions, champions, phrases, bench.threads)
    )
    return [
        Figure(f"models.scoring.{SCORED // 1000}k_customers", scoring, "s", 1.0),
        Figure("models.scoring.rate", SCORED / scoring, "customers/s"),
        Figure(f"models.reasons.{EXPLAINED // 1000}k_customers", reasons, "s", 1.0),
        Figure("models.reasons.rate", EXPLAINED / reasons, "customers/s"),
        Figure("models.scoring.load_before", busy, "processes"),
    ]


def _score(features: pd.DataFrame, champions: dict[str, Champion], threads: int) -> None:
    for start in range(0, len(features), BATCH_ROWS):
        found = predict_features(features.iloc[start : start + BATCH_ROWS], champions, threads)
        if found[[task.score_column for task in TASKS.values()]].isna().any(axis=None):
            raise BenchFailed("a customer whom every task speaks of has no score")


def _seconds(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return median(taken)


def _table(bench: BenchHome, name: str) -> pd.DataFrame:
    with Lake.from_settings(bench.values()).reader(latest=True) as connection:
        frame = connection.execute(f"from marts.{name}").df()
    if frame.empty:
        raise BenchFailed(f"marts.{name} in {bench.deployment} is empty: run without --skip-race")
    return frame
