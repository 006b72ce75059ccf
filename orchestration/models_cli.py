"""``shoal models``: which versions there are, which one scores; go back; train one again."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from ml.tasks import QUESTIONS, TASKS
from ml.words import measure_words
from orchestration.lake import Lake, LakeNotFound, SnapshotGone
from orchestration.registry import NoSuchVersion, Registry, Version
from orchestration.settings import settings

if TYPE_CHECKING:
    from ml.trained import TrainedModel

app = typer.Typer(invoke_without_command=True, help=__doc__)

Task = Annotated[str, typer.Argument(help=f"{', '.join(QUESTIONS)} or segments.")]


@app.callback()
def list_versions(context: typer.Context) -> None:
    """List the versions of every task."""
    if context.invoked_subcommand is None:
        print_versions(Console(highlight=False, soft_wrap=True), Registry(settings()))


@app.command()
def rollback(
    task: Task,
    to: Annotated[
        int | None, typer.Option(help="Version that scores from now on; default: the one before.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks later.")] = "no reason given",
) -> None:
    """Make the previous champion of a task, or a named version, score again."""
    registry = Registry(settings())
    with _refusals():
        before = registry.champion(task)
        version = registry.roll_back(task, to, f"{getpass.getuser()}: {reason}")
    was = f" (was {before.label})" if before else ""
    typer.echo(f"{version.label} scores from the next batch on{was}; everyone is scored anew then")


@app.command()
def retrain(
    task: Task,
    version: Annotated[int, typer.Option(help="Number of the version.")],
) -> None:
    """Train an old version again from its record, and say whether it is the same."""
    from orchestration.retraining import NotRetrainable
    from orchestration.retraining import retrain as train_again

    with _refusals(NotRetrainable):
        again = train_again(Registry(settings()).version(task, version), Lake.from_settings())
    for line in again.lines():
        typer.echo(line)
    if not again.is_identical:
        raise typer.Exit(1)


@app.command()
def search(
    task: Annotated[str, typer.Argument(help=f"{', '.join(TASKS)}.")],
    trials: Annotated[int | None, typer.Option(help="Default: SHOAL_SEARCH_TRIALS.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Default: SHOAL_SEARCH_SECONDS.")] = None,
) -> None:
    """Search a task's parameters; the next training takes them if they beat the defaults."""
    from ml.search_result import Budget
    from ml.splits import NotEnoughHistory
    from orchestration.parameter_search import search_task

    values = settings()
    if task not in TASKS:
        raise typer.BadParameter(f"{task!r} is none of {', '.join(TASKS)}")
    with _refusals(NotEnoughHistory, ValueError):
        budget = Budget(
            values.search_trials if trials is None else trials,
            values.search_seconds if seconds is None else seconds,
        )
        version, found = search_task(TASKS[task], Lake.from_settings(), values, budget, typer.echo)
    typer.echo(f"{version.label}, {found}")
    for name, value in found.found.to_dict().items():
        typer.echo(f"  {name}: {value} (default {found.defaults.to_dict()[name]})")


def print_versions(console: Console, registry: Registry) -> None:
    """Print every version with its date, headline figure, snapshot and what became of it."""
    from orchestration.champions import SEGMENTS
    from orchestration.texts.models import SENTIMENT, TOPICS

    table = Table("version", "alias", "trained", "test date", "measure", "snapshot", box=SIMPLE)
    reasons = []
    for task in (*QUESTIONS, SEGMENTS, SENTIMENT, TOPICS):
        aliases = registry.aliases(task)
        for held in reversed(registry.versions(task)):
            model = _load(held) if task in QUESTIONS else None
            table.add_row(
                held.label,
                " ".join(aliases.get(held.number, ())),
                f"{held.made_at:%Y-%m-%d}" if held.made_at else "",
                model.test_date if model else "",
                _headline(model) if model else "",
                held.tags.get("lake_snapshot", ""),
            )
            if held.number in aliases and "reason" in held.tags:
                reasons.append(held.tags["reason"])
    if not table.row_count:
        console.print("no model yet: run training_job (make dev), or make demo")
        return
    console.print(table)
    for reason in reasons:
        console.print(reason, markup=False)


def _headline(model: "TrainedModel") -> str:
    measure = QUESTIONS[model.kind].headline
    return f"{measure_words(measure)} {model.metric(measure):.3f}"


def _load(version: Version) -> "TrainedModel":
    from ml.trained import TrainedModel

    return TrainedModel.load(version.folder)


@contextmanager
def _refusals(*further: type[Exception]) -> Iterator[None]:
    refused: tuple[type[Exception], ...] = (NoSuchVersion, SnapshotGone, LakeNotFound, *further)
    try:
        yield
    except refused as problem:
        Console(stderr=True).print(
            str(problem), style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(1) from None
