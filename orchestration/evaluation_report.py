"""``make evaluate``: judge the models on what is in the lake and write the page."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console

from orchestration.demo import SIMULATED, run_demo, run_job
from orchestration.lake import Lake, LakeNotFound
from orchestration.settings import Settings

FOLDER = "evaluation"
_HAS_FILES = "select count(*) from ops.landed_files where file like ? or file like ?"


def run_evaluation(
    values: Settings, dataset: str, data: Path | None, *, customers: int, events: int
) -> None:
    """Run the demo if the deployment lacks the data set, then ``evaluation_job``.

    Raises
    ------
    DemoFailed
        With what went wrong and what to do.
    """
    console = Console(highlight=False, soft_wrap=True)
    if not has_dataset(Lake.from_settings(values), dataset):
        console.print(f"no data of {dataset} in {values.root} yet: running the demo first")
        run_demo(values, dataset, data, customers=customers, events=events)
    console.print("… judging the models at past instants")
    run_job("evaluation_job")
    folder = values.reports / FOLDER
    console.print(f"{folder / 'evaluation.html'}\n{folder / 'evaluation.md'}")


def has_dataset(lake: Lake, dataset: str) -> bool:
    """Whether files of a data set were taken: they are named after its mapping."""
    source = SIMULATED if dataset == SIMULATED else dataset.replace("-", "_")
    name = source.replace("_", r"\_")
    try:
        with lake.reader(latest=True) as connection:
            row = connection.execute(
                _HAS_FILES.replace("?", r"? escape '\'"), [f"%/{name}-%", f"{name}-%"]
            ).fetchone()
    except LakeNotFound:
        return False
    return row is not None and row[0] > 0


def write_evaluation(lake: Lake, values: Settings, log: logging.Logger) -> dict[str, Any]:
    """Judge, write page, pictures and tables to the report folder; returns asset metadata."""
    from orchestration.evaluation import evaluate
    from orchestration.evaluation_page import HEADLINES, evaluation_report, findings
    from orchestration.pictures import save_text
    from orchestration.reference_page import summary

    found = evaluate(lake, values, log)
    report = evaluation_report(found, "How good the models are", datetime.now(UTC))
    folder = values.reports / FOLDER
    for name, table in report.tables.items():
        save_text(folder / f"{name}.csv", table.to_csv(index=False))
    page, _ = report.page.save(folder, "evaluation")
    metadata: dict[str, Any] = {"report": dg.MetadataValue.path(page)}
    if found.references:
        lines = summary(found.references)
        metadata["references"] = dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))
    for task in found.tasks:
        if task.found is None:
            metadata[task.task.name] = f"not judged: {task.reason}"
            continue
        lines = findings(task.found, task.groups)
        metadata[task.task.name] = dg.MetadataValue.md("\n".join(f"- {line}" for line in lines))
        headline = HEADLINES[task.found.link][0]
        own = task.found.pooled.query("model == 'model' and metric == @headline")
        metadata[f"{task.task.name}_{headline}"] = float(own["value"].item())
    return metadata
