"""The main job against the bare script, side by side on one market."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console

from tests.benchmarks import main_job
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.home import BenchFailed, BenchHome, Usage, python
from tests.benchmarks.main_job import MainJob

Run = TypeVar("Run")
RATIO_TARGET = 2.0
NOT_IN_SCRIPT = ("matches", "journeys", "texts")
COMPARED = (
    "customers", "sessions", "orders", "customer_days", "features", "feature_history", "labels",
    "scores",
)  # fmt: skip
TOLERANCE = 0.1
"""The script takes every ref for a customer and every browser's owner for its first login."""


@dataclass(frozen=True)
class BareRun:
    """One run of the bare script: the whole process, its parts in seconds, rows by table."""

    usage: Usage
    parts: Mapping[str, float]
    rows: Mapping[str, int]


def measure(bench: BenchHome, rounds: int, console: Console) -> list[Figure]:
    """Run both contestants in turn, and compare their medians.

    Raises
    ------
    BenchFailed
        When a run fails, or the two do not come to the same tables.
    """
    jobs: list[MainJob] = []
    bares: list[BareRun] = []
    for number in range(1, rounds + 1):
        main_job.prepare(bench)
        jobs.append(main_job.run(bench, f"main_job_{number}"))
        report(console, f"main job {number}", jobs[-1].usage)
        bares.append(run_bare(bench, f"bare_script_{number}"))
        report(console, f"bare script {number}", bares[-1].usage)
        require_same_rows(jobs[-1].rows, bares[-1].rows)
    arguments = ["-m", "tests.benchmarks.narrow_script", str(bench.market), str(bench.threads)]
    narrow = bench.run("narrow", python(*arguments))
    best = min(jobs, key=lambda job: job.usage.seconds)
    same = [job.usage.seconds - sum(job.stages[stage] for stage in NOT_IN_SCRIPT) for job in jobs]
    lean = [seconds - job.stages["reports"] for seconds, job in zip(same, jobs, strict=True)]
    bare_seconds = middle(bares, lambda run: run.usage.seconds)
    bare_cpu = middle(bares, lambda run: run.usage.cpu_seconds)
    whole = middle(jobs, lambda run: run.usage.seconds)
    main_cpu = middle(jobs, lambda run: run.usage.cpu_seconds)
    return [
        *usage_figures("main_job", [job.usage for job in jobs]),
        *main_job.stage_figures(best),
        *usage_figures("bare_script", [run.usage for run in bares]),
        *(
            Figure(f"bare_script.{part}", median([run.parts[part] for run in bares]), "s")
            for part in bares[0].parts
        ),
        *usage_figures("narrow_script", [narrow]),
        Figure("ratio.main_to_bare", median(same) / bare_seconds, "x", RATIO_TARGET),
        Figure("ratio.main_to_bare_with_identity_and_journeys", whole / bare_seconds, "x"),
        Figure("ratio.main_to_bare_without_reports", median(lean) / bare_seconds, "x"),
        Figure("ratio.main_to_bare_cpu", main_cpu / bare_cpu, "x"),
    ]


def run_bare(bench: BenchHome, name: str) -> BareRun:
    """Run the bare script in a process of its own."""
    out = bench.root / "bare"
    arguments = ["-m", "tests.benchmarks.bare_script", str(bench.market), str(out)]
    arguments.append(str(bench.threads))
    usage = bench.run(name, python(*arguments))
    printed = json.loads(bench.log(name).read_text().splitlines()[-1])
    return BareRun(usage, printed["seconds"], printed["rows"])


def require_same_rows(main: Mapping[str, int], bare: Mapping[str, int]) -> None:
    """Compare the row counts of the two.

    Raises
    ------
    BenchFailed
        Naming every table that differs.
    """
    differing = [
        f"{name}: main job {main[name]:,}, bare script {bare[name]:,}"
        for name in COMPARED
        if abs(main[name] - bare[name]) > TOLERANCE * bare[name]
    ]
    if differing:
        raise BenchFailed("not a fair race, rows differ: " + "; ".join(differing))


def usage_figures(name: str, usages: list[Usage]) -> list[Figure]:
    """Medians of what some runs took, and the machine's load before the busiest one."""
    return [
        Figure(f"{name}.total", median([usage.seconds for usage in usages]), "s"),
        Figure(f"{name}.cpu", median([usage.cpu_seconds for usage in usages]), "s"),
        Figure(f"{name}.peak_memory", max(usage.peak_mb for usage in usages), "MB"),
        Figure(f"{name}.load_before", max(usage.load for usage in usages), "processes"),
    ]


def middle(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    """Median of one figure over some runs."""
    return median([of(run) for run in runs])


def report(console: Console, what: str, usage: Usage) -> None:
    """Say how a run went."""
    console.print(
        f"  {what}: {usage.seconds:.1f} s, {usage.cpu_seconds:.1f} s of processor, "
        f"{usage.peak_mb:,.0f} MB, load before {usage.load:.1f}"
    )
