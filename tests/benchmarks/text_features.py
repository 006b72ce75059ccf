"""What features of mood add to the models: ``python -m tests.benchmarks.text_features``.

Each task is judged at the same past instants with all features and without those of mood, by the
backtest of `shoal evaluate`, on what is in SHOAL_HOME; the difference is paired by customer.
"""

from __future__ import annotations

import sys

from ml.backtest import backtest, judge_predictions
from ml.splits import NotEnoughHistory
from ml.tasks import TASKS
from orchestration.evaluation import feature_names
from orchestration.lake import Lake
from orchestration.settings import settings
from orchestration.training_frame import read_training_frame

MOOD = (
    "mood_last", "mood_mean", "mood_trend_90d", "complaints_30d", "leaving_threats_90d",
    "issue_open_30d", "feedback_topics_total",
)  # fmt: skip
METRICS = {"logit": ("roc_auc", "average_precision"), "log": ("mae", "spearman")}


def main(names: list[str]) -> None:
    """Print, for each task, the figures with and without, and their difference with interval."""
    values = settings()
    lake = Lake.from_settings(values)
    for name in names or ["churn", "value"]:
        task = TASKS[name]
        frame, horizon, _ = read_training_frame(lake, name)
        known = frame["mood_last"].notna().mean() if len(frame) else 0.0
        print(f"\n{name}: {len(frame):,} rows, {known:.0%} with a mood", flush=True)
        try:
            found = {
                label: backtest(
                    frame, task, horizon_days=horizon or 0, features=features,
                    origins=values.evaluation_origins, most_rows=values.evaluation_rows,
                    seed=values.seed, num_threads=values.threads,
                )
                for label, features in (
                    ("model", feature_names(frame)),
                    ("without", [each for each in feature_names(frame) if each not in MOOD]),
                )
            }  # fmt: skip
        except NotEnoughHistory as problem:
            print(problem)
            continue
        keys = ["origin", "customer_key", "as_of", "label"]
        both = (
            found["model"]
            .predictions[[*keys, "model"]]
            .merge(
                found["without"].predictions[[*keys, "model"]].rename(columns={"model": "without"}),
                on=keys,
            )
        )
        judged = judge_predictions(both, horizon or 0, task.link, seed=values.seed, rounds=500)
        shown = METRICS[task.link]
        for table in (judged.pooled, judged.differences):
            print(table[table["metric"].isin(shown)].round(4).to_string(index=False))
        moved = found["model"].importance
        moved = moved[moved["feature"].isin(MOOD)].groupby("feature")["importance"].mean()
        print(moved.sort_values(ascending=False).round(5).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
