"""The evaluation as a page: what was found in words, then tables and pictures."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from ml import groups as group_rules
from ml.backtest import Backtest
from ml.evaluation import decile_table
from ml.profit import CostTable, Decision, decide, profit_curve
from ml.task import Task
from ml.words import MEASURES, measure_words
from orchestration.evaluation import Evaluation, TaskEvaluation
from orchestration.evaluation_tables import (
    by_metric,
    by_origin_table,
    deciles_table,
    differences,
    figure,
    groups_table,
    plain,
    word,
)
from orchestration.pages import Page
from orchestration.reference_page import references_section

HEADLINES = {
    "logit": ("roc_auc", "average_precision", "brier", "ece", "calibration_slope"),
    "log": ("mae", "spearman", "gini", "aggregate_ratio", "top_10"),
}


@dataclass(frozen=True)
class Report:
    """The page, the tables behind it, and the decision of each task that has one."""

    page: Page
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)


def evaluation_report(found: Evaluation, title: str, written: datetime) -> Report:
    """Lay the evaluation out as a page."""
    report = Report(Page(title))
    page = report.page
    page.paragraph(
        f"Written {written:%Y-%m-%d %H:%M} UTC from lake snapshot {found.snapshot}, whose data "
        f"reach to {found.as_of:%Y-%m-%d}."
    )
    page.paragraph(
        "Each model was trained anew at several past instants (origins), from what was known then "
        "and nothing later, and judged on what its customers did next. Intervals hold 95 % of "
        "bootstrap samples; over several origins customers are drawn with all their rows. "
        "Differences are on the same customers: above 0 the model is better, whatever the "
        "direction of the metric."
    )
    references_section(page, found.references)
    for task in found.tasks:
        _task(report, task, found.costs)
    _glossary(page, found)
    return report


def _task(report: Report, judged: TaskEvaluation, costs: CostTable | None) -> None:
    page, task, found = report.page, judged.task, judged.found
    if found is None:
        page.heading(task.name.capitalize().replace("_", " "))
        page.paragraph(f"Not judged: {judged.reason}")
        return
    page.heading(task.title.format(days=found.horizon_days))
    predictions = found.predictions
    page.paragraph(
        f"{len(predictions):,} predictions of {predictions['customer_key'].nunique():,} customers "
        f"at {len(found.origins)} origins: "
        f"{', '.join(f'{origin:%Y-%m-%d}' for origin in found.origins)}. "
        f"Mean of what happened: {predictions['label'].mean():,.3f}.{_overlap(found)}"
    )
    page.bullets(findings(found, judged.groups))
    page.heading("All origins together", 3)
    page.table(by_metric(found.pooled, "model"))
    page.heading("Difference to each baseline", 3)
    page.table(differences(found.differences))
    page.heading("Origin by origin", 3)
    page.table(by_origin_table(found.by_origin, HEADLINES[found.link]))
    report.tables[f"{task.name}_by_origin"] = found.by_origin
    report.tables[f"{task.name}_pooled"] = found.pooled
    report.tables[f"{task.name}_differences"] = found.differences
    if not found.importance.empty:
        report.tables[f"{task.name}_importance"] = found.importance
    _pictures(page, task.name, found)
    if isinstance(task, Task) and task.is_binary:
        _profit(report, task, found, costs)
    elif not task.is_binary:
        deciles = decile_table(predictions["label"], predictions["model"])
        report.tables[f"{task.name}_deciles"] = deciles
        page.heading("By decile of the prediction", 3)
        page.table(deciles_table(deciles))
    if judged.groups is not None:
        report.tables[f"{task.name}_groups"] = judged.groups
        page.heading("By group of customers", 3)
        page.paragraph(
            f"Flagged: the whole interval of the difference to all others is more than "
            f"{group_rules.RANKING_MARGIN} below 0 (ranking), or the group's sum is further from "
            f"right by more than {group_rules.CALIBRATION_MARGIN:.0%} (calibration). Groups below "
            f"{group_rules.SMALLEST_GROUP} rows, or with fewer than "
            f"{group_rules.FEWEST_OF_A_CLASS} of either outcome, are too small to judge. Within a "
            "group of customers who are alike any ranking is less sharp: the AUC promised is what "
            "the group's own probabilities imply."
        )
        page.table(groups_table(judged.groups, "AUC" if task.is_binary else "Spearman"))


def _glossary(page: Page, found: Evaluation) -> None:
    """What the measures of the page say, each once."""
    judged = [task.found.pooled["metric"] for task in found.tasks if task.found is not None]
    names = list(dict.fromkeys(str(name) for metrics in judged for name in metrics))
    if names:
        page.heading("What the measures say")
        lines = [(MEASURES[name].words, MEASURES[name].meaning) for name in names]
        page.table(pd.DataFrame(lines, columns=["measure", "what it says"]))


def _overlap(found: Backtest) -> str:
    gaps = pd.Series(found.origins).diff().dropna()
    if not len(gaps) or gaps.min() >= pd.Timedelta(days=found.horizon_days):
        return ""
    return (
        f" The origins lie {gaps.min().days} days apart, less than the {found.horizon_days}-day "
        "horizon, so what happened after one is partly what happened after the next; a longer "
        "SHOAL_AS_OF_COUNT sets them further apart."
    )


def findings(found: Backtest, groups: pd.DataFrame | None) -> list[str]:
    """What the tables say, in sentences; where a baseline is better, that comes as plainly."""
    table = found.differences
    said = []
    for metric in HEADLINES[found.link]:
        value = found.pooled[
            (found.pooled["model"] == "model") & (found.pooled["metric"] == metric)
        ]
        said.append(f"{measure_words(metric)} {figure(value.iloc[0])}")
    lines = [f"{word('model')}: {'; '.join(said)}."]
    for baseline, rows in table.groupby("baseline", sort=False):
        by_verdict = {
            verdict: ", ".join(measure_words(str(name)) for name in part["metric"])
            for verdict, part in rows.groupby("verdict")
        }
        verdicts = [
            f"{verdict} on {by_verdict[verdict]}"
            for verdict in ("better", "worse", "no different")
            if verdict in by_verdict
        ]
        lines.append(f"Against {word(baseline)} the model is {'; '.join(verdicts)}.")
    lost = table[table["verdict"] == "worse"].to_dict("records")
    lines += [
        f"A baseline is better: {word(row['baseline'])} on {measure_words(row['metric'])}, by "
        f"{plain(-row['difference'])} ({plain(-row['high'])} to {plain(-row['low'])})."
        for row in lost
    ] or ["No baseline is better on any measure."]
    if found.stability is not None:
        lines.append(f"Stability: {found.stability}.")
    if groups is not None:
        flagged = groups[~groups["flag"].isin(["", "too small"])].to_dict("records")
        lines += [
            f"Served clearly worse ({row['flag']}): {row['dimension']} {row['group']}, "
            f"{row['rows']:,} rows{_promise(row)}."
            for row in flagged
        ] or ["No group is served clearly worse than the others."]
    return lines


def _promise(row: Mapping[Hashable, Any]) -> str:
    if "ranking" not in row["flag"] or pd.isna(row["promised"]):
        return ""
    promise = f"its own probabilities promise ({row['promised']:.3f})"
    if row["ranking_high"] < row["promised"]:
        return f"; AUC {row['ranking']:.3f}, less than {promise}"
    return f"; AUC {row['ranking']:.3f}, about what {promise}: its members are alike"


def _pictures(page: Page, task: str, found: Backtest) -> None:
    from ml.plots import lift_png, reliability_png, roc_png

    label = found.predictions["label"].to_numpy()
    scores = {word(name): found.predictions[name].to_numpy() for name in found.models}
    when = f"{task} in {found.horizon_days} days, {len(found.origins)} origins"
    if found.link == "logit":
        page.picture(f"{task}_roc", roc_png(label, scores, f"ROC: {when}"))
        page.picture(f"{task}_reliability", reliability_png(label, scores, f"Calibration: {when}"))
    page.picture(f"{task}_lift", lift_png(label, scores, f"Lift: {when}"))


def _profit(report: Report, task: Task, found: Backtest, costs: CostTable | None) -> None:
    from ml.plots import profit_png

    page, rows = report.page, found.predictions
    page.heading("Whom to contact", 3)
    if costs is None:
        page.paragraph(
            "Nobody has ordered, so what a customer is worth is unknown: set SHOAL_VALUE_KEPT for "
            "a threshold and the profit to expect."
        )
        return
    decision = decide(rows["label"], rows["model"], costs, clusters=rows["customer_key"])
    report.decisions[task.name] = decision
    curve = profit_curve(rows["label"], rows["model"], costs)
    page.paragraph(
        f"A contact costs {costs.contact_cost:,.2f} and succeeds with {costs.save_rate:.0%} of "
        f"those who {task.positive}; a success is worth {costs.value_kept:,.2f} "
        "(SHOAL_CONTACT_COST, SHOAL_SAVE_RATE, SHOAL_VALUE_KEPT). So a contact pays above a "
        f"probability of {costs.threshold:.3f}."
    )
    page.paragraph(
        f"{decision.contacted:,} of {len(rows):,} ({decision.share:.0%}) were above it: expected "
        f"profit {decision.expected:,.0f}, realised on labels {decision.realised:,.0f} "
        f"({decision.low:,.0f} to {decision.high:,.0f}). Contacting everyone would have brought "
        f"{decision.everyone:,.0f}, the best share by hindsight {decision.best:,.0f}."
    )
    title = f"Profit: {task.name} in {found.horizon_days} days"
    page.picture(f"{task.name}_profit", profit_png(curve, costs.threshold, title))
