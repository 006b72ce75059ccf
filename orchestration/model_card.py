"""The card of a model version: what it is, how it was judged, where it ends."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pandas as pd

from ml.champion import Comparison, in_test_order, labels_known_by
from ml.evaluation import aggregate_ratio, expected_calibration_error, roc_auc, spearman
from ml.groups import FEWEST_OF_A_CLASS, SMALLEST_GROUP, is_large, simple_groups
from ml.importance import importance_table, stability
from ml.parameters import DEFAULTS
from ml.reasons import Phrase
from ml.tasks import QUESTIONS, TASKS
from ml.trained import TrainedModel
from ml.words import MEASURES, measure_words, model_words
from orchestration.documents import Block, Bullets, Heading, Picture, Table, Text
from orchestration.registry import Version

LIMITS = (
    "It speaks only of customers like those that it learnt from; for everyone else the score is "
    "null and the reason says so.",
    "It was judged on one later time. Another season can be easier or harder; the intervals speak "
    "of other customers of that time, not of other times.",
    "Reasons and importance say what moves the score, not what would change the customer.",
    "Scores follow what was recorded. A channel that is not recorded looks like inactivity.",
    f"A group below {SMALLEST_GROUP} rows, or with fewer than {FEWEST_OF_A_CLASS} of one kind, is "
    "too small to judge: nothing is known of how it is served.",
)
TOO_SMALL = "too small"


def model_card(
    version: Version,
    model: TrainedModel,
    rows: pd.DataFrame,
    decision: str,
    requirements: Table,
    comparison: Comparison | None,
    phrases: Mapping[str, Phrase],
    made_at: datetime,
) -> list[Block]:
    """The card of one version, for `orchestration.documents` to write.

    Parameters
    ----------
    version, model
        The version, and what its files hold.
    rows : DataFrame
        Features and label at the test cutoff.
    decision, requirements
        What was decided on its promotion.
    comparison : Comparison or None
        With the champion at that time.
    phrases : mapping of feature to Phrase
        The feature catalogue.
    made_at : datetime
        Date of the card, UTC.
    """
    horizon = model.horizon_days
    what = "customers" if model.kind in TASKS else "rows of the period"
    predicts = QUESTIONS[model.kind].meaning.format(horizon=horizon, population=2 * horizon)
    pictures = [
        Picture(path.stem, path.read_bytes()) for path in sorted(version.folder.glob("*.png"))
    ]
    return [
        Heading(f"Model card: {model.kind}, version {version.number}", 1),
        Text(f"{made_at:%Y-%m-%d %H:%M} UTC. {decision}."),
        Heading("What it predicts"),
        Text(predicts),
        Heading("How good it is"),
        Text(
            f"On {len(model.test_predictions):,} {what} as of {model.test_date}, by the model "
            "that knew no label of that time, beside its baselines on the same rows. In "
            "brackets: 95 % bootstrap intervals."
        ),
        metrics_table(model, comparison),
        Bullets(tuple(str(verdict) for verdict in model.verdicts)),
        *pictures,
        Heading("Promotion"),
        requirements,
        Heading("By group"),
        group_table(model, rows, comparison),
        Heading("What it learnt from"),
        record_table(version, model),
        Heading("Features"),
        Text(stability_words(model, rows)),
        feature_table(model, rows, phrases),
        Heading("Limits"),
        Bullets(LIMITS),
    ]


def metrics_table(model: TrainedModel, comparison: Comparison | None) -> Table:
    """One row per metric, one column per model, intervals in brackets; last what it says."""
    figures = model.metrics
    if comparison is not None:
        figures = pd.concat([figures, comparison.metrics])
    names = list(dict.fromkeys(figures["model"]))
    cells = {
        (row.model, row.metric): f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"
        for row in figures.itertuples()
    }
    lines = [
        (
            measure_words(metric),
            *(cells.get((name, metric), "") for name in names),
            MEASURES[metric].meaning if metric in MEASURES else "",
        )
        for metric in dict.fromkeys(figures["metric"].astype(str))
    ]
    titles = ["this model" if name == "model" else model_words(str(name)) for name in names]
    return Table(("measure", *titles, "what it says"), tuple(lines))


def group_table(model: TrainedModel, rows: pd.DataFrame, comparison: Comparison | None) -> Table:
    """How each simple group is served: rows, what happened, what was predicted, the ranking."""
    tested = model.test_predictions
    ordered = in_test_order(rows, model)
    label, predicted = tested["label"].to_numpy(float), tested["model"].to_numpy(float)
    against = {group.group: group for group in comparison.groups} if comparison else {}
    link = QUESTIONS[model.kind].link
    written = "{:,.2f}" if link == "log" else "{:.1%}"
    lines = []
    for name, chosen in simple_groups(ordered).items():
        y, p = label[chosen], predicted[chosen]
        ranking = calibration = TOO_SMALL
        if is_large(y, link):
            ranking = f"{spearman(y, p) if link == 'log' else roc_auc(y, p):.3f}"
            calibration = (
                f"{aggregate_ratio(y, p):.2f}"
                if link == "log"
                else f"{expected_calibration_error(y, p):.3f}"
            )
        compared = str(against[name]).split(": ", 1)[1] if name in against else "not compared"
        means = (written.format(y.mean()), written.format(p.mean()))
        lines.append((name, f"{len(y):,}", *means, ranking, calibration, compared))
    return Table(
        (
            "group",
            "customers",
            "what happened, mean",
            "predicted, mean",
            measure_words(QUESTIONS[model.kind].headline),
            measure_words(QUESTIONS[model.kind].calibration),
            "against the champion",
        ),
        tuple(lines),
    )


def record_table(version: Version, model: TrainedModel) -> Table:
    """Everything that trains this version again."""
    dates = model.trained_on
    what = "customer" if model.kind in TASKS else "event"
    until = labels_known_by(dates, model.horizon_days)
    return Table(
        ("", ""),
        (
            ("version", version.label),
            ("trained", f"{version.made_at:%Y-%m-%d %H:%M} UTC" if version.made_at else ""),
            ("data window", f"as of {dates[0]} to {dates[-1]}, labels until {until:%Y-%m-%d}"),
            ("as-of dates", f"{len(dates)}: {', '.join(dates)}"),
            ("rows", f"{model.rows:,} (one per {what} and as-of date)"),
            (
                "judged",
                f"learnt from {model.judged_dates[0]} to {model.judged_dates[-1]}, tuned on "
                f"{model.validation_date}, calibrated on "
                f"{model.calibration_date or model.validation_date}, tested on {model.test_date}",
            ),
            ("lake snapshot", version.tags.get("lake_snapshot", "")),
            ("code version", version.tags.get("code_version", "")),
            ("libraries", version.tags.get("libraries", "")),
            ("seed", str(model.seed)),
            ("rounds of trees", str(model.rounds)),
            ("parameters", _parameters(version, model)),
            (
                "train again",
                f"shoal models retrain {version.task} --version {version.number}",
            ),
        ),
    )


def _parameters(version: Version, model: TrainedModel) -> str:
    changed = {
        name: value
        for name, value in model.parameters.to_dict().items()
        if value != DEFAULTS.to_dict()[name]
    }
    named = ", ".join(f"{name} {value}" for name, value in changed.items())
    return f"{version.tags.get('parameters_from', 'defaults')}{': ' if named else ''}{named}"


def stability_words(model: TrainedModel, rows: pd.DataFrame) -> str:
    """Whether this model and its judged twin, a horizon older, look at the same features."""
    words = (
        "Importance is the mean absolute share of a feature in the scores of the customers of "
        f"{model.test_date}, in brackets with its 95 % interval over customers."
    )
    if model.judged is None:
        return words
    tables = [
        importance_table(one, rows, seed=model.seed, rounds=2)
        for one in (model.model, model.judged)
    ]
    found = [dict(zip(one["feature"], one["importance"], strict=True)) for one in tables]
    return f"{words} This model and the one judged: {stability(found)}."


def feature_table(model: TrainedModel, rows: pd.DataFrame, phrases: Mapping[str, Phrase]) -> Table:
    """Every feature with its meaning, importance, share of the trees' gain, and coefficient."""
    trees = model.importance()
    gain = dict(zip(trees["feature"], trees["gain"], strict=True))
    coefficient = dict(zip(trees["feature"], trees["coefficient"], strict=True))
    table = importance_table(model.model, rows, seed=model.seed).itertuples()
    return Table(
        ("feature", "meaning", "importance", "share of gain in the trees", "linear coefficient"),
        tuple(
            (
                str(row.feature),
                phrases[str(row.feature)].label if str(row.feature) in phrases else "",
                f"{row.importance:.1%} ({row.low:.1%} to {row.high:.1%})",
                f"{gain[row.feature]:.1%}",
                f"{coefficient[row.feature]:+.3f}",
            )
            for row in table
        ),
    )


def card_paths(folder: Path, version: Version) -> tuple[Path, Path]:
    """Where the card of a version lies in a folder, as HTML and as markdown."""
    stem = folder / f"{version.task}_{version.number}_card"
    return stem.with_suffix(".html"), stem.with_suffix(".md")
