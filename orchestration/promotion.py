"""Promotion: does the newest version of a task score in place of the champion?

Decided apart from training, by the blocking check of each model asset; ADR 10 has the rules and
why a refusal does not stop the scoring of the same run.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from ml.champion import Comparison, NoFairComparison, compare
from ml.task import Question
from ml.tasks import EVENT_TASKS, QUESTIONS
from ml.trained import TrainedModel
from orchestration.champions import Champion, load_champion, lost_features
from orchestration.documents import Table, to_html, to_markdown
from orchestration.event_frames import read_event_frame
from orchestration.lake import Lake, require_snapshot
from orchestration.leak_alarm import leak_suspicions
from orchestration.model_card import card_paths, model_card
from orchestration.model_checks import earns_promotion, not_trained
from orchestration.phrases import feature_phrases
from orchestration.pictures import save_file
from orchestration.registry import Registry, Version, scratch_folder
from orchestration.settings import Settings, settings

CHECK = "challenger_earns_promotion"
TIMED_ROWS = 20_000
TIMED_ROUNDS = 3


@dataclass(frozen=True)
class Requirement:
    """One thing that is asked of a challenger.

    Attributes
    ----------
    claim, words : str
        What is asked, and what was found.
    passed, is_binding : bool
        A requirement that does not bind is reported only.
    """

    claim: str
    passed: bool
    words: str
    is_binding: bool = True


@dataclass(frozen=True)
class Decision:
    """Whether a challenger scores from now on, and why."""

    challenger: str
    champion: str | None
    requirements: tuple[Requirement, ...]
    comparison: Comparison | None = None

    @property
    def promoted(self) -> bool:
        return all(item.passed for item in self.requirements if item.is_binding)

    def __str__(self) -> str:
        """Say it in one line: the reasons of a refusal, or what speaks for the promotion."""
        kept = f"{self.champion} stays in force" if self.champion else "no model scores this task"
        binding = [item for item in self.requirements if item.is_binding]
        said = [item.words for item in binding if item.passed == self.promoted]
        verdict = "promoted" if self.promoted else f"refused, {kept}"
        return f"{self.challenger} {verdict}: {'; '.join(said)}"

    def table(self) -> Table:
        """Every requirement."""
        return Table(
            ("asked", "met", "found"),
            tuple(
                (
                    item.claim + ("" if item.is_binding else " (reported only)"),
                    "yes" if item.passed else "no",
                    item.words,
                )
                for item in self.requirements
            ),
        )


def challenger_earns_promotion(
    task: Question, lake: Lake, log: Any, training: dict[str, Any]
) -> dg.AssetCheckResult:
    """Decide on the challenger that a training has just registered, and carry it out.

    Parameters
    ----------
    task : Question
    lake : Lake
    log : logger
    training : dict
        What `orchestration.training.train_task` said: ``trained`` and, if not, the ``reason`` and
        whether it is ``skipped_as_expected``.

    Returns
    -------
    AssetCheckResult
        Failed when the champion stays. A warning, so that it goes on scoring; an error, which
        keeps the run from scoring, where the champion cannot score the features there are now.
    """
    if training.get("skipped_as_expected"):
        return not_trained(CHECK, training)
    values = settings()
    registry = Registry(values)
    champion = load_champion(registry, task.name)
    if training["trained"]:
        challenger = registry.challenger(task.name)
        assert challenger is not None
        decision = decide(task, challenger, champion, lake, values)
        carry_out(registry, challenger, decision)
        passed, words = decision.promoted, str(decision)
        card = write_card(registry, challenger, decision, lake, values)
        metadata: dict[str, Any] = {
            "requirements": dg.MetadataValue.md(to_markdown([decision.table()])),
            "model_card": dg.MetadataValue.path(card),
        }
    else:
        kept = f"{champion.version.label} stays in force" if champion else "no model scores it"
        passed, metadata = False, {}
        words = f"{task.name} was not trained, {kept}: {training['reason']}"
    severity = dg.AssetCheckSeverity.WARN
    if not passed:
        lost = lost_features(lake, champion.model) if champion else []
        if champion and lost:
            severity = dg.AssetCheckSeverity.ERROR
            words += f"; but {champion.version.label} cannot score: {', '.join(lost)} are gone"
        log.warning(words)
    return dg.AssetCheckResult(
        check_name=CHECK, passed=passed, severity=severity, description=words, metadata=metadata
    )


def decide(
    task: Question, challenger: Version, champion: Champion | None, lake: Lake, values: Settings
) -> Decision:
    """Hold a challenger against what is asked; nothing is changed."""
    model = TrainedModel.load(challenger.folder)
    rows = read_test_rows(lake, task.name, model, int(challenger.tags["lake_snapshot"]))
    lake.give_way()
    requirements = [_no_worse_than_simplest(model), _is_plausible(model)]
    comparison = None
    if champion is not None:
        try:
            comparison = compare(
                model,
                champion.trained(),
                rows,
                task.headline,
                num_threads=values.threads,
            )
            requirements += _no_worse_than_champion(champion.version.label, comparison)
        except NoFairComparison as problem:
            found = f"no fair comparison with {champion.version.label}: {problem}"
            passed = not problem.champion_knows_more
            requirements.append(Requirement("no worse than the champion", passed, found))
    binds = champion is not None  # a first model is held against the simplest baseline alone
    requirements.append(_is_calibrated(model, comparison, values, binds))
    requirements.append(_is_fast(model, rows, values, binds))
    return Decision(
        challenger.label,
        champion.version.label if champion else None,
        tuple(requirements),
        comparison,
    )


def carry_out(registry: Registry, challenger: Version, decision: Decision) -> None:
    """Write the decision into the challenger's record, and promote it if that was decided."""
    registry.tag(
        challenger,
        {"promotion": "promoted" if decision.promoted else "refused", "reason": str(decision)},
    )
    if decision.promoted:
        registry.promote(challenger, str(decision))


def write_card(
    registry: Registry, version: Version, decision: Decision, lake: Lake, values: Settings
) -> Path:
    """Write the version's card, as HTML and markdown, to the reports and to its files."""
    model = TrainedModel.load(version.folder)
    rows = read_test_rows(lake, version.task, model, int(version.tags["lake_snapshot"]))
    lake.give_way()
    blocks = model_card(
        version,
        model,
        rows,
        f"{version.label} promoted" if decision.promoted else str(decision),
        decision.table(),
        decision.comparison,
        feature_phrases(version.task),
        datetime.now(UTC),
    )
    with scratch_folder() as name:
        page, text = card_paths(Path(name), version)
        page.write_text(to_html(f"Model card {version.label}", blocks), encoding="utf-8")
        text.write_text(to_markdown(blocks), encoding="utf-8")
        registry.add_files(version, Path(name))
        reports = values.reports / "models"
        for file in (page, text):
            save_file(reports / file.name, file.read_bytes())
    return reports / page.name


def read_test_rows(lake: Lake, task: str, model: TrainedModel, snapshot: int) -> pd.DataFrame:
    """Features and label of the customers, or the events, that a version was judged on."""
    with lake.reader(latest=True) as connection:
        require_snapshot(connection, snapshot)
        if task in EVENT_TASKS:
            frame, _ = read_event_frame(connection, EVENT_TASKS[task], snapshot)
            judged_on: pd.Series = frame["as_of"] == model.test_predictions["as_of"].iloc[0]
            return frame.loc[judged_on]
        return connection.execute(
            f"""
            select features.*, labels.label
            from marts.customer_labels as labels at (version => {snapshot:d})
            inner join marts.customer_feature_history as features at (version => {snapshot:d})
                on
                    labels.customer_key = features.customer_key
                    and labels.as_of = features.as_of
            where labels.task = ? and labels.as_of = ?
            """,
            [task, model.test_predictions["as_of"].iloc[0].to_pydatetime()],
        ).df()


def rows_per_second(model: TrainedModel, rows: pd.DataFrame) -> float:
    """How many customers a model scores in a second of one core: the best of a few rounds.

    Time of the processor, not of the clock: a busy machine says nothing of the model.
    """
    sample = rows.sample(TIMED_ROWS, replace=True, random_state=0)
    best = math.inf
    for _ in range(TIMED_ROUNDS):
        started = time.process_time()
        model.predict(sample, num_threads=1)
        best = min(best, time.process_time() - started)
    return TIMED_ROWS / best


def _no_worse_than_simplest(model: TrainedModel) -> Requirement:
    said = [str(v) for v in model.verdicts if v.baseline == QUESTIONS[model.kind].simplest]
    return Requirement(
        "not clearly worse than the simplest baseline", earns_promotion(model), said[0]
    )


def _is_plausible(model: TrainedModel) -> Requirement:
    doubts = leak_suspicions(model)
    return Requirement("skill is plausible", not doubts, "; ".join(doubts) or "no sign of a leak")


def _no_worse_than_champion(label: str, comparison: Comparison) -> list[Requirement]:
    verdict = comparison.verdict
    worse = [str(group) for group in comparison.groups if group.difference.verdict == "worse"]
    return [
        Requirement(
            "no worse than the champion",
            verdict.difference.verdict != "worse",
            str(verdict).replace("champion", label) + f" (compared with {comparison.basis})",
        ),
        Requirement(
            "no worse than the champion in any large group",
            not worse,
            "worse than the champion among " + " and ".join(worse)
            if worse
            else f"no worse in any of {len(comparison.groups)} large groups",
        ),
    ]


def _is_calibrated(
    model: TrainedModel, comparison: Comparison | None, values: Settings, binds: bool
) -> Requirement:
    """Fail when the whole interval is beyond the bound, and the champion is no further off."""
    metric = QUESTIONS[model.kind].calibration
    figures = model.metrics[
        (model.metrics["model"] == "model") & (model.metrics["metric"] == metric)
    ].iloc[0]
    low, high = float(figures["low"]), float(figures["high"])
    if metric == "ece":
        within = not low > values.promotion_max_ece
        words = f"calibration error {figures['value']:.3f} ({low:.3f} to {high:.3f})"
        bound = f"at most {values.promotion_max_ece:g}"
    else:
        most = values.promotion_max_ratio
        within = not (low > most or high < 1 / most)
        words = f"predicted over real spend {figures['value']:.2f} ({low:.2f} to {high:.2f})"
        bound = f"{1 / most:.2f} to {most:.2f}"
    if not within and comparison is not None:
        theirs = comparison.metric(metric)
        within = _distance(float(figures["value"]), metric) <= _distance(theirs, metric)
        words += f", the champion's {theirs:.3f}"
    return Requirement("calibrated", within, f"{words}; asked: {bound}", binds)


def _distance(figure: float, metric: str) -> float:
    return figure if metric == "ece" else abs(math.log(max(figure, 1e-9)))


def _is_fast(model: TrainedModel, rows: pd.DataFrame, values: Settings, binds: bool) -> Requirement:
    speed, asked = rows_per_second(model, rows), values.promotion_min_rows_per_second
    return Requirement(
        "scores within its time",
        speed >= asked,
        f"{speed:,.0f} customers a second of one core; asked: {asked:,.0f}",
        binds,
    )
